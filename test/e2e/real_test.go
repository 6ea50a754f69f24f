package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

var serviceNames = []string{"order", "inventory", "payment", "notification"}

// servers are what the environment names: a broker, a registry and a PostgreSQL, on which every service then has a
// database. A platform uses them instead of its own.
type servers struct {
	kafka, registry string
	// direct is a way to the brokers for the test itself, if the services' own may be cut.
	direct string
	// postgres is the url of the superuser, proxy is host:port where the services find it.
	postgres, proxy string
}

// given are the servers of the environment. Nil if there are none.
func given() *servers {
	a := parts.Given()
	if a.Kafka == "" || a.Registry == "" || a.Postgres == "" {
		return nil
	}
	return &servers{kafka: a.Kafka, registry: a.Registry, postgres: a.Postgres}
}

// empty leaves the topics as new as those of a platform at its first start.
func (s *servers) empty(t *testing.T) {
	t.Helper()
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var topics []string
	for _, topic := range schemas.Topics() {
		topics = append(topics, topic.Name)
	}
	sure(t, parts.Reset(ctx, s.kafka, topics, serviceNames))
	path, err := built.Path()
	sure(t, err)
	sure(t, client.Until(ctx, "apply", func() error { // a registry that has just started is slow
		apply := exec.CommandContext(ctx, path, "apply", "--brokers", s.kafka, "--registry", "http://"+s.registry)
		if said, err := apply.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}))
}

// database is the url of an empty one on PostgreSQL, which is dropped when the test ends.
func (s *servers) database(t *testing.T) string {
	t.Helper()
	if s == nil {
		return sqltest.PostgresURL(t)
	}
	d, err := parts.CreateDatabase(t.Context(), s.postgres, "quadrille_test_"+strings.ToLower(rand.Text()))
	sure(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := parts.DropDatabase(ctx, s.postgres, d.Name); err != nil {
			t.Error(err)
		}
	})
	if s.proxy != "" {
		d.Addr = s.proxy
	}
	return d.URL()
}

// arguments of `up` for a platform on them.
func (s *servers) arguments(t *testing.T, args []string) []string {
	t.Helper()
	if s == nil {
		return args
	}
	args = append(slices.Clone(args), "--set", "QUADRILLE_KAFKA_BROKERS="+s.kafka,
		"--set", "QUADRILLE_REGISTRY_URL=http://"+s.registry)
	for _, name := range serviceNames {
		named := func(arg string) bool { return strings.HasPrefix(strings.TrimPrefix(arg, "--database="), name+"=") }
		if !slices.ContainsFunc(args, named) {
			args = append(args, "--database="+name+"="+s.database(t))
		}
	}
	return args
}

// brokers are those that the test itself asks, of a platform on them.
func (s *servers) brokers(p *platform) []string {
	addrs := p.Kafka
	if s != nil && s.direct != "" {
		addrs = s.direct
	}
	return strings.Split(addrs, ",")
}

// addresses of a platform on them, from those that `up` tells.
func (s *servers) addresses(told client.Addresses) client.Addresses {
	if s != nil {
		told.Kafka, told.Registry = s.kafka, s.registry
	}
	return told
}
