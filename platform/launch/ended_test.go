package launch_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

func TestAProcessEndsBeforeItIsWaitedFor(t *testing.T) {
	cfg := config(t, "echo")
	cmd := exec.Command(cfg.Path)
	cmd.Env = append(os.Environ(), cfg.Env...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if launch.Ended(cmd.Process.Pid) {
		t.Error("it ended before its standard input did")
	}
	if err := stdin.Close(); err != nil {
		t.Error(err)
	}
	if runtime.GOOS == "linux" { // which tells a zombie from a process that runs
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := client.Until(ctx, "the zombie", func() error {
			if !launch.Ended(cmd.Process.Pid) {
				return errors.New("it runs")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !launch.Ended(cmd.Process.Pid) {
		t.Error("it runs after its end")
	}
}
