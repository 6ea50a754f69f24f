package service

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAFileSaysWhichEventsAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "refused")
	if err := os.WriteFile(file, []byte("slow till\nfast office\n\ndead:rotten\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &refusals{file: file, service: "till"}
	for key, want := range map[string]string{"slow": "not yet", "rotten": "for good", "fast": "", "other": "", "": ""} {
		got := ""
		if refused, ok := errors.AsType[interface {
			error
			NotYet() bool
		}](r.refuse(key)); ok {
			got = map[bool]string{true: "not yet", false: "for good"}[refused.NotYet()]
		}
		if got != want {
			t.Errorf("events of %q are refused %q, want %q", key, got, want)
		}
	}
}

func TestWhatIsNoLongerRefusedIsNoticed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "refused")
	synctest.Test(t, func(t *testing.T) {
		r := &refusals{file: file, service: "till"}
		if err := r.refuse("slow"); err != nil {
			t.Errorf("without the file: %v", err)
		}
		if err := os.WriteFile(file, []byte("slow"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rereadAfter)
		if r.refuse("slow") == nil {
			t.Error("with the file it is not refused")
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if r.refuse("slow") == nil {
			t.Error("it is read anew at every event")
		}
		time.Sleep(rereadAfter)
		if err := r.refuse("slow"); err != nil {
			t.Errorf("after the file: %v", err)
		}
	})
}

func TestNothingIsRefusedUnlessATestAsksForIt(t *testing.T) {
	for file, warnings := range map[string]int{"": 0, "/nowhere": 1} {
		t.Setenv(refuseVariable, file)
		var said strings.Builder
		refuse := refusing("till", slog.New(slog.NewTextHandler(&said, nil)))
		if got := strings.Count(said.String(), "level=WARN"); got != warnings || (refuse == nil) != (warnings == 0) {
			t.Errorf("%s=%s: a hook %v, %d warnings: %s", refuseVariable, file, refuse != nil, got, said.String())
		}
	}
}
