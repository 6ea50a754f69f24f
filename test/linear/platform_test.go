package linear

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

const (
	// patience bounds the whole test. It is no expectation: a condition comes when it comes.
	patience = 5 * time.Minute
	// No order is cancelled because the machine is slow: whether its stock was held then, only inventory could tell.
	orderTimeout = "QUADRILLE_ORDER_TIMEOUT=1h"
)

// world is a platform on PostgreSQL with two replicas of order and of inventory.
type world struct {
	*launch.Platform
	t         *testing.T
	ctx       context.Context
	databases map[string]string

	mu       sync.Mutex
	replicas map[string]*launch.Replica // beside the one that `up` has started
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, databases: make(map[string]string), replicas: make(map[string]*launch.Replica)}
	args := []string{"--ephemeral", "--free-ports", "--set", orderTimeout}
	for _, service := range []string{"order", "inventory"} {
		w.databases[service] = sqltest.PostgresURL(t)
		args = append(args, "--database", service+"="+w.databases[service])
	}
	path := filepath.Join(t.TempDir(), "quadrille")
	err := binary.Build(path, binary.Quadrille)
	if err != nil {
		t.Fatal(err)
	}
	if w.Platform, err = launch.Up(ctx, launch.Config{Path: path, Args: args}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	for service := range w.databases {
		if err := w.startReplica(service); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, r := range w.replicas {
			if err := r.Stop(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	})
	return w
}

func (w *world) startReplica(service string) error {
	var env []string
	if service == "order" {
		env = append(env, orderTimeout)
	}
	r, err := w.Replica(w.ctx, service, w.databases[service], env...)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas[service] = r
	return nil
}

// kill ends the second replica of a service without notice, and starts another. Nobody is sent to it in between.
func (w *world) kill(service string) error {
	w.mu.Lock()
	r := w.replicas[service]
	w.mu.Unlock()
	err := r.Stop(syscall.SIGKILL)
	w.mu.Lock()
	delete(w.replicas, service)
	w.mu.Unlock()
	if err != nil {
		return err
	}
	return w.startReplica(service)
}

// any is a client of either replica of each service, as it happens.
func (w *world) any() *client.Client {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.Client
	for service, r := range w.replicas {
		if rand.IntN(2) == 1 {
			c = c.At(service, r.Addr)
		}
	}
	return c
}

// until tries at either replica until it succeeds.
func (w *world) until(what string, try func(at *client.Client) error) error {
	return client.Until(w.ctx, what, func() error { return try(w.any()) })
}
