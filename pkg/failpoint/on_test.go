//go:build failpoint

package failpoint

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const child = "QUADRILLE_TEST_FAILPOINT_CHILD"

// TestMain is the process that is killed, if it is asked to be.
func TestMain(m *testing.M) {
	if os.Getenv(child) == "" {
		os.Exit(m.Run())
	}
	if err := Arm(); err != nil {
		fmt.Fprint(os.Stderr, err)
		os.Exit(3)
	}
	for range 3 {
		Hit(UnitLoaded)
		fmt.Print("hit ")
	}
}

// run runs this test's program as a child that hits UnitLoaded three times.
func run(t *testing.T, points string) (said string, status syscall.WaitStatus) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=1", variable+"="+points)
	out, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func TestTheProcessIsKilledAtTheHitThatWasArmed(t *testing.T) {
	for _, tc := range []struct {
		points, said string
		killed       bool
	}{
		{"", "hit hit hit ", false},
		{"unit/loaded", "failpoint: killed at unit/loaded\n", true},
		{"relay/produced=7,unit/loaded=3", "hit hit failpoint: killed at unit/loaded\n", true},
		{"unit/loaded=4", "hit hit hit ", false},
		{"unit/saved", "hit hit hit ", false},
	} {
		t.Run(tc.points, func(t *testing.T) {
			said, status := run(t, tc.points)
			if said != tc.said {
				t.Errorf("said %q, want %q", said, tc.said)
			}
			if killed := status.Signaled() && status.Signal() == syscall.SIGKILL; killed != tc.killed {
				t.Errorf("killed: %t, ended as %v", killed, status)
			}
		})
	}
}

func TestWhatIsNoPointIsRefusedAtStart(t *testing.T) {
	for points, want := range map[string]string{
		"unit/lodaed":   "is no point",
		"unit/loaded=0": "POINT=HITS",
		"unit/loaded=x": "POINT=HITS",
		"unit/loaded,":  "is no point",
	} {
		said, status := run(t, points)
		if status.ExitStatus() != 3 || !strings.Contains(said, variable) || !strings.Contains(said, want) {
			t.Errorf("%q: ended with %d and said %q", points, status.ExitStatus(), said)
		}
	}
}
