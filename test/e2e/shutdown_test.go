package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// started is a service of a platform that left it out, in a process of the test's own.
func (p *platform) started(t *testing.T, service string) *launch.Process {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	process, err := launch.Start(launch.Config{
		Path: path, Args: []string{"service", service, "--lifeline"}, Env: p.LeftOut[service],
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Stop(syscall.SIGKILL) }) // unless the test has stopped it
	eventually(t, service, func() error { return p.Ready(t.Context(), service) })
	return process
}

// liveLeases counts the calls of a service that has stopped which nobody could make for a while.
func (p *platform) liveLeases(t *testing.T, service string) int64 {
	t.Helper()
	for _, variable := range p.LeftOut[service] {
		databaseURL, found := strings.CutPrefix(variable, "QUADRILLE_DATABASE_URL=")
		if !found {
			continue
		}
		db, err := sqldb.Open(t.Context(), databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var live int64
		err = db.Read(t.Context(), func(tx *sqldb.Tx) error {
			live, err = sqldb.Get[int64](t.Context(), tx, `SELECT count(*) FROM calls WHERE leased_until > $1`, time.Now().UTC())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return live
	}
	t.Fatalf("the environment of %s names no database", service)
	return 0
}

// TestATermUnderLoadLosesNothing stops services while orders come and cards are slow. Each ends well and soon, gives its
// leases back, and every order that was accepted is there and completed after a restart.
func TestATermUnderLoadLosesNothing(t *testing.T) {
	p := up(t, "--ephemeral", "--without", "order", "--without", "payment", "--without", "notification")
	services := []string{"order", "payment", "notification"}
	running := make(map[string]*launch.Process)
	for _, service := range services {
		running[service] = p.started(t, service)
	}
	p.stock(t, "drained", 1_000_000)

	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var accepted []string
	refused := 0
	var buying sync.WaitGroup
	for buyer := range 16 {
		buying.Go(func() {
			token := []string{"tok_visa", "tok_slow"}[buyer%2] // the second is under way for 2 s
			for ctx.Err() == nil {
				o, err := placeAt(p.Services["order"], token, line{"drained", 1})
				mu.Lock()
				if err == nil {
					accepted = append(accepted, o.ID)
				} else {
					refused++
				}
				mu.Unlock()
				if err != nil { // it is away: let it come back
					select {
					case <-ctx.Done():
					case <-time.After(10 * time.Millisecond):
					}
				}
			}
		})
	}
	placed := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(accepted)
	}
	for _, service := range services {
		before := placed()
		eventually(t, "load", func() error {
			if n := placed() - before; n < 100 {
				return fmt.Errorf("%d orders were placed", n)
			}
			return nil
		})
		began := time.Now()
		if err := running[service].Stop(syscall.SIGTERM); err != nil {
			t.Errorf("%s: %v", service, err)
		}
		took := time.Since(began)
		t.Logf("%s stopped after %s", service, took)
		if took > 15*time.Second { // DRAIN is 10 s
			t.Errorf("%s took %s to stop", service, took)
		}
		if service != "order" {
			if live := p.liveLeases(t, service); live > 0 {
				t.Errorf("%s left %d leases that run on", service, live)
			}
		}
		running[service] = p.started(t, service)
	}
	stop()
	buying.Wait()
	t.Logf("%d orders accepted, %d refused", len(accepted), refused)
	began := time.Now()
	for _, id := range accepted {
		if o := p.completed(t, id); o.Status != "confirmed" {
			t.Errorf("ended as %+v", o)
		}
	}
	t.Logf("all were completed after %s", time.Since(began))
	for _, service := range services {
		if err := running[service].Stop(syscall.SIGTERM); err != nil {
			t.Errorf("%s: %v", service, err)
		}
	}
}
