//go:build real

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// begin lets the audience in, once all services are ready.
func begin(ctx context.Context, t *testing.T, x *troupe) *audience {
	t.Helper()
	sure(t, x.complete(ctx))
	return x.admit(ctx, t, uint64(number(t, seedVariable, int(time.Now().Unix()))))
}

// Each broker is killed under load. Sagas go on with the two that are left, and the dead one's partitions go back to it
// once it has caught up.
func (c *cluster) brokersAreKilled(ctx context.Context, t *testing.T, x *troupe) {
	crowd := begin(ctx, t, x)
	for node := range brokers {
		crowd.more(ctx, t)
		c.kafkas.Kill(node)
		sure(t, c.network.Cut(ctx, proxyOf(node))) // the proxy would answer in its place
		crowd.saga(ctx, t, fmt.Sprintf("without broker %d", node))
		crowd.more(ctx, t)
		sure(t, c.kafkas.Start(node))
		sure(t, c.network.Mend(ctx))
		sure(t, c.kafkas.Ready(ctx))
		sure(t, c.kafkas.InSync(ctx))
		crowd.saga(ctx, t, fmt.Sprintf("with broker %d back", node))
	}
	x.judge(ctx, t, crowd)
}

// Without a registry services wait at their start and say so; those that run go on. Its ids outlast it.
func (c *cluster) registryIsAway(ctx context.Context, t *testing.T, x *troupe) {
	x.tame = true // what nobody knows without a registry would be waited for
	before := c.ids(ctx, t)
	sure(t, c.schemas.Stop())
	for _, at := range x.places() {
		sure(t, x.enter(at, ""))
	}
	for _, at := range x.places() {
		x.waitsForSchemas(ctx, t, at)
	}
	_, err := placeAt(x.addr(place{"order", 0}, "HTTP_ADDR"), "tok_visa", line{plenty, 1})
	if client.StatusOf(err) != http.StatusServiceUnavailable {
		t.Errorf("an order to a service that waits: %v", err)
	}
	sure(t, c.schemas.Start(ctx))

	crowd := begin(ctx, t, x)
	crowd.more(ctx, t)
	sure(t, c.schemas.Stop())
	crowd.saga(ctx, t, "without a registry")
	at := place{"payment", 0}
	sure(t, x.leave(at, syscall.SIGKILL))
	sure(t, x.enter(at, ""))
	x.waitsForSchemas(ctx, t, at)
	crowd.saga(ctx, t, "with a new process that waits for it")
	sure(t, c.schemas.Start(ctx))
	sure(t, x.awaitReady(ctx, at))
	crowd.saga(ctx, t, "with the registry back")
	if after := c.ids(ctx, t); !maps.Equal(before, after) {
		t.Errorf("the ids of the schemas were %v, and are %v", before, after)
	}
	x.judge(ctx, t, crowd)
}

// ids are those of the newest versions, by subject.
func (c *cluster) ids(ctx context.Context, t *testing.T) map[string]int {
	t.Helper()
	registry, err := sr.NewClient(sr.URLs("http://" + c.registry))
	sure(t, err)
	subjects, err := registry.Subjects(ctx)
	sure(t, err)
	ids := make(map[string]int)
	for _, subject := range subjects {
		found, err := registry.SchemaByVersion(ctx, subject, -1)
		sure(t, err)
		ids[subject] = found.ID
	}
	if len(ids) == 0 {
		t.Fatal("the registry has no schemas")
	}
	return ids
}

// waitsForSchemas waits until a service says that it does.
func (x *troupe) waitsForSchemas(ctx context.Context, t *testing.T, at place) {
	t.Helper()
	sure(t, client.Until(ctx, at.String()+" to wait for schemas", func() error {
		_, err := x.Call(ctx, http.MethodGet, "http://"+x.addr(at, "ADMIN_ADDR")+"/readyz", nil, nil)
		if client.StatusOf(err) == http.StatusServiceUnavailable && strings.Contains(err.Error(), "schemas") {
			return nil
		}
		return errors.Join(errors.New("it does not say so"), err)
	}))
}

// Connections are ended, and the server is stopped and crashes, under load.
func (c *cluster) databaseIsAway(ctx context.Context, t *testing.T, x *troupe) {
	crowd := begin(ctx, t, x)
	for range 3 {
		crowd.more(ctx, t)
		n, err := c.store.Disconnect(ctx)
		sure(t, err)
		if n < len(x.places()) {
			t.Errorf("%d connections of %d processes were ended", n, len(x.places()))
		}
	}
	crowd.saga(ctx, t, "after connections were ended")
	for _, end := range []struct {
		how string
		do  func() error
	}{{"was stopped", c.store.Stop}, {"crashed", c.store.Crash}} {
		sure(t, end.do())
		x.unready(ctx, t, place{"order", 0}, "database")
		sure(t, c.store.Start(ctx))
		crowd.more(ctx, t)
		crowd.saga(ctx, t, "after PostgreSQL "+end.how)
	}
	x.judge(ctx, t, crowd)
}

// unready waits until a service says that a part of it is at fault.
func (x *troupe) unready(ctx context.Context, t *testing.T, at place, part string) {
	t.Helper()
	sure(t, client.Until(ctx, fmt.Sprintf("%s to miss its %s", at, part), func() error {
		var faults map[string]string
		_, err := x.Call(ctx, http.MethodGet, "http://"+x.addr(at, "ADMIN_ADDR")+"/readyz", nil, &faults)
		if faults[part] != "" || err != nil && strings.Contains(err.Error(), part) {
			return nil
		}
		return errors.Join(fmt.Errorf("it says %v", faults), err)
	}))
}

// The network to one broker, to all of them and to the database is slow, cut, and silent.
func (c *cluster) networkFails(ctx context.Context, t *testing.T, x *troupe) {
	crowd := begin(ctx, t, x)
	crowd.more(ctx, t)
	// It goes on to lead its partitions, for the other brokers reach it: what is for these waits.
	sure(t, c.network.Cut(ctx, proxyOf(0)))
	crowd.more(ctx, t)
	sure(t, c.network.Mend(ctx))
	crowd.saga(ctx, t, "with one broker back within reach")

	for node := range brokers {
		sure(t, c.network.Delay(ctx, proxyOf(node), 100*time.Millisecond, 50*time.Millisecond))
	}
	crowd.saga(ctx, t, "with a slow way to the brokers")
	crowd.more(ctx, t)
	sure(t, c.network.Mend(ctx))

	for node := range brokers {
		sure(t, c.network.Cut(ctx, proxyOf(node)))
	}
	crowd.more(ctx, t) // which wait in the outbox
	x.unready(ctx, t, place{"order", 0}, "relay")
	sure(t, c.network.Mend(ctx))
	crowd.saga(ctx, t, "with the brokers back")

	for _, fail := range []func(context.Context, string) error{c.network.Cut, c.network.Silence} {
		sure(t, fail(ctx, "postgres"))
		x.unready(ctx, t, place{"order", 0}, "database")
		sure(t, c.network.Mend(ctx))
		crowd.more(ctx, t)
	}
	crowd.saga(ctx, t, "with the database back")
	x.judge(ctx, t, crowd)
}

// Consumers come, leave and die under load; their partitions go to those that are left.
func (c *cluster) replicasComeAndGo(ctx context.Context, t *testing.T, x *troupe) {
	crowd := begin(ctx, t, x)
	kafka, err := kgo.NewClient(kgo.SeedBrokers(c.kafkas.Addrs()...))
	sure(t, err)
	defer kafka.Close()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, name := range []string{"inventory", "payment", "order"} {
			var extra []*launch.Process
			for range 2 {
				process, err := x.extra(name)
				sure(t, err)
				extra = append(extra, process)
				t.Cleanup(func() { _ = process.Stop(syscall.SIGKILL) })
			}
			members(ctx, t, kadm.NewClient(kafka), name, 4)
			crowd.more(ctx, t)
			for _, process := range extra {
				sure(t, process.Stop(signal))
			}
			members(ctx, t, kadm.NewClient(kafka), name, 2)
			crowd.saga(ctx, t, fmt.Sprintf("with two replicas of %s less, by %s", name, signal))
		}
	}
	x.judge(ctx, t, crowd)
}

// extra starts one more process of a service.
func (x *troupe) extra(name string) (*launch.Process, error) {
	addrs, err := launch.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	return launch.Start(launch.Config{
		Path: x.program, Args: []string{"service", name, "--lifeline"},
		Env: append(slices.Clone(x.variables[place{name, 0}]), "QUADRILLE_HTTP_ADDR="+addrs[0], "QUADRILLE_ADMIN_ADDR="+addrs[1]),
	})
}

// members waits until so many processes share the partitions of a group, each with some.
func members(ctx context.Context, t *testing.T, admin *kadm.Client, group string, want int) {
	t.Helper()
	sure(t, client.Until(ctx, fmt.Sprintf("%d members of %s", want, group), func() error {
		described, err := admin.DescribeConsumerGroups(ctx, group)
		if err != nil {
			return err
		}
		owners := 0
		for _, m := range described[group].Members {
			if len(m.Assignment) > 0 {
				owners++
			}
		}
		if owners != want || len(described[group].Members) != want {
			return fmt.Errorf("%d of %d members own partitions", owners, len(described[group].Members))
		}
		return nil
	}))
}
