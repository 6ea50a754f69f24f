package service_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

// mainVariable makes this test binary the program of a service that drains until its standard input ends.
const mainVariable = "SERVICE_TEST_MAIN"

type mainConfig struct{ service.Config }

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) == "" {
		os.Exit(m.Run())
	}
	os.Args = append(os.Args[:1], strings.Fields(os.Getenv(mainVariable))[1:]...)
	os.Exit(service.Main(service.Built("1.4.2", "6e87f4d"), func(ctx context.Context, cfg mainConfig) error {
		fmt.Println("runs", cfg.Version, cfg.Revision)
		<-ctx.Done()
		fmt.Println("drains")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}))
}

// program is this test binary as a service.
func program(t *testing.T, args string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), mainVariable+"=main "+args)
	return cmd
}

func TestMainTellsItsBuild(t *testing.T) {
	for _, flag := range []string{"-version", "--version"} {
		out, err := program(t, flag).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != "service_test 1.4.2 6e87f4d" {
			t.Errorf("%s: %q, %v", flag, got, err)
		}
	}
	out, err := program(t, "-sideways").CombinedOutput()
	if failed, ok := errors.AsType[*exec.ExitError](err); !ok || failed.ExitCode() != 2 {
		t.Errorf("a flag that is not known: %v, %s", err, out)
	}
}

// TestOneSignalDrainsAndASecondEnds: what follows the first at once is still the first, as timeout(1) and make send it.
func TestOneSignalDrainsAndASecondEnds(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		for _, forced := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, forced %t", signal, forced), func(t *testing.T) {
				t.Parallel()
				cmd := program(t, "")
				stdin, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				stdout, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				said := bufio.NewScanner(stdout)
				says := func(want string) {
					t.Helper()
					if !said.Scan() || said.Text() != want {
						t.Fatalf("said %q, want %q", said.Text(), want)
					}
				}
				says("runs 1.4.2 6e87f4d")
				began := time.Now()
				_ = cmd.Process.Signal(signal)
				says("drains")
				ticker := time.NewTicker(10 * time.Millisecond)
				defer ticker.Stop()
				if !forced {
					for range 10 {
						<-ticker.C
						_ = cmd.Process.Signal(signal)
					}
					atOnce := time.Since(began) < time.Second // else the last was rightly taken for a second
					_ = stdin.Close()
					if err := cmd.Wait(); err != nil && atOnce {
						t.Errorf("ended with %v", err)
					}
					return
				}
				ended := make(chan error, 1)
				go func() { ended <- cmd.Wait() }()
				for err = nil; err == nil; { // the deadline is that of the test run
					select {
					case err = <-ended:
					case <-ticker.C:
						_ = cmd.Process.Signal(signal) // until the first is long enough ago
					}
				}
				failed, ok := errors.AsType[*exec.ExitError](err)
				if !ok || failed.Sys().(syscall.WaitStatus).Signal() != signal {
					t.Errorf("ended with %v, want by %s", err, signal)
				}
			})
		}
	}
}
