package parts

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

// startShell starts a part that a shell plays.
func startShell(t *testing.T, script string) *process {
	t.Helper()
	p, err := start("the part", filepath.Join(t.TempDir(), "part.log"), []string{"PART=one"}, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func TestAPartRunsUntilItIsStopped(t *testing.T) {
	p := startShell(t, `echo "this is $PART"; exec sleep 600`)
	err := p.ready(t.Context(), func(context.Context) error {
		if p.lastWords() != "this is one" {
			return errors.New("it has not spoken")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if launch.Ended(p.pid) {
		t.Error("it has ended")
	}
	group, err := syscall.Getpgid(p.pid)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
	if !launch.Ended(p.pid) {
		t.Error("it still runs")
	}
	if err := syscall.Kill(-group, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("something of its watchdog still runs: %v", err)
	}
}

// Neither SIGTERM nor the end of its input impresses a part that hangs.
func TestAPartIsKilled(t *testing.T) {
	p := startShell(t, `trap "" TERM; while :; do sleep 1; done`)
	p.kill()
	if err := syscall.Kill(p.pid, 0); err == nil && !launch.Ended(p.pid) {
		t.Error("it still runs")
	}
	if err := p.stop(); err != nil {
		t.Errorf("to stop what was killed: %v", err)
	}
}

func TestAPartThatEndsIsToldWithItsLog(t *testing.T) {
	p := startShell(t, `echo "the port is taken"; exit 3`)
	err := p.ready(t.Context(), func(context.Context) error { return errors.New("no answer") })
	if err == nil || !strings.Contains(err.Error(), "the part ended") || !strings.Contains(err.Error(), "the port is taken") ||
		!strings.Contains(err.Error(), p.log) {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p = startShell(t, `exec sleep 600`)
	if err := p.ready(ctx, func(context.Context) error { return errors.New("no answer") }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestWhatWasFetchedIsFetchedOnce(t *testing.T) {
	s, fills := Store{Dir: filepath.Join(t.TempDir(), "store")}, 0
	fill := func(dir string) error {
		fills++
		return os.WriteFile(filepath.Join(dir, "jar"), nil, 0o600)
	}
	if _, err := s.once(t.Context(), "thing-1", "fetching", func(string) error { return errors.New("no network") }); err == nil {
		t.Error("a failure is no error")
	}
	for range 2 {
		dir, err := s.once(t.Context(), "thing-1", "fetching", fill)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "jar")); err != nil {
			t.Error(err)
		}
	}
	if fills != 1 {
		t.Errorf("it was fetched %d times", fills)
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 2 { // itself, and the lock
		t.Errorf("the store has %v (%v)", entries, err)
	}
}

func TestAddressesAreFoundWhileTheirKeeperRuns(t *testing.T) {
	for _, name := range []string{KafkaVariable, RegistryVariable, PostgresVariable, OTLPVariable, JaegerVariable, ProxyVariable} {
		t.Setenv(name, "127.0.0.1:1") // so that nothing is started
	}
	dir := filepath.Join(t.TempDir(), "real")
	if _, err := Find(dir); !errors.Is(err, ErrDown) {
		t.Errorf("before: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Keep(ctx, Config{Logs: dir}, dir, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	if a, err := Find(dir); err != nil || a.Kafka != "127.0.0.1:1" || a.Jaeger != "127.0.0.1:1" {
		t.Errorf("addresses %+v (%v)", a, err)
	}
	if err := Keep(ctx, Config{Logs: dir}, dir, func() {}); err == nil || !strings.Contains(err.Error(), "up already") {
		t.Errorf("a second keeper: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := Find(dir); !errors.Is(err, ErrDown) {
		t.Errorf("after: %v", err)
	}
}
