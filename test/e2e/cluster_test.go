//go:build real

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

const (
	brokers = 3
	// some orders are placed between one fault and the next.
	some = 10
	// clusterWithin bounds a test on the cluster.
	clusterWithin = 8 * time.Minute
)

// cluster is three brokers, a registry and PostgreSQL, all behind a proxy.
type cluster struct {
	*servers
	kafkas  *parts.Kafka
	schemas *parts.Registry
	store   *parts.Postgres
	network *parts.Toxiproxy
}

// Whatever of the servers fails, nothing is lost, nothing happens twice and every saga ends.
func TestCluster(t *testing.T) {
	c := startCluster(t)
	for _, test := range []struct {
		name string
		run  func(ctx context.Context, t *testing.T, x *troupe)
	}{
		{"brokers are killed", c.brokersAreKilled},
		{"the registry is away", c.registryIsAway},
		{"the database is away", c.databaseIsAway},
		{"the network fails", c.networkFails},
		{"replicas come and go", c.replicasComeAndGo},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), clusterWithin)
			defer cancel()
			test.run(ctx, t, assembleOn(t, c.servers, true))
		})
	}
}

// startCluster starts it once for all tests. It is stopped when the test ends.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clusterWithin)
	defer cancel()
	c, store, logs := &cluster{servers: &servers{}}, parts.Store{Dir: "../../bin/parts", Progress: os.Stderr}, t.ArtifactDir()
	data, err := os.MkdirTemp("", "quadrille-cluster-")
	sure(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	sure(t, os.Chmod(data, 0o755)) // PostgreSQL may run as another user

	c.network, err = parts.StartToxiproxy(ctx, store, logs)
	sure(t, err)
	stopped(t, c.network.Stop)
	c.store, err = parts.StartPostgres(ctx, filepath.Join(data, "postgres"))
	sure(t, err)
	stopped(t, c.store.Stop)
	c.postgres = c.store.URL()
	c.proxy, err = c.network.Proxy(ctx, "postgres", c.store.Addr())
	sure(t, err)

	database, err := parts.CreateDatabase(ctx, c.postgres, "registry")
	sure(t, err)
	c.schemas, err = parts.StartRegistry(ctx, parts.RegistryConfig{Store: store, Database: database, Logs: logs})
	sure(t, err)
	stopped(t, c.schemas.Stop)
	c.registry = c.schemas.Base()

	c.kafkas, err = parts.StartKafka(ctx, parts.KafkaConfig{
		Store: store, Nodes: brokers, Data: filepath.Join(data, "kafka"), Logs: logs,
		Advertised: func(node int, listens string) (string, error) { return c.network.Proxy(ctx, proxyOf(node), listens) },
	})
	sure(t, err)
	stopped(t, c.kafkas.Stop)
	c.kafka, c.direct = strings.Join(c.kafkas.Addrs(), ","), strings.Join(c.kafkas.Peers(), ",")
	return c
}

// proxyOf is the name of a node's proxy.
func proxyOf(node int) string { return fmt.Sprint("kafka-", node) }

func stopped(t *testing.T, stop func() error) {
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// more waits until some more orders have been accepted.
func (a *audience) more(ctx context.Context, t *testing.T) {
	t.Helper()
	want := a.orders.Load() + some
	sure(t, client.Until(ctx, "more orders", func() error {
		if got := a.orders.Load(); got < want {
			return fmt.Errorf("%d of %d", got, want)
		}
		return nil
	}))
}

// saga waits until a saga that begins now has ended, and tells how long that took.
func (a *audience) saga(ctx context.Context, t *testing.T, when string) {
	t.Helper()
	began := time.Now()
	var o client.Order
	a.insist(ctx, func(c *client.Client) (err error) {
		key := fmt.Sprint("saga-", began.UnixNano())
		o, err = c.With("Idempotency-Key", key).Place(ctx, client.Buy("tok_visa", client.Line{SKU: plenty, Quantity: 1}))
		return err
	})
	id := o.ID
	sure(t, client.Until(ctx, "a saga "+when, func() (err error) {
		if o, err = a.clients().Order(ctx, id); err == nil && !o.Completed {
			err = fmt.Errorf("it is %s", o.Status)
		}
		return err
	}))
	t.Logf("%s: a saga of %s, %s %s", when, time.Since(began).Round(time.Millisecond), o.Status, o.Reason)
}
