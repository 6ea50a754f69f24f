// Package forward lets one address stand for all replicas of a service, where nothing else does.
package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Command is `quadrille forward`.
type Command struct {
	Route []Route `arg:"" help:"Where to listen, and the replicas' name and port." placeholder:"[HOST:]PORT=HOST:PORT"`
}

// Route is one way: from where it listens to a name that stands for all replicas.
type Route struct{ Listen, To string }

// UnmarshalText reads 8081=order:8081 or 127.0.0.1:8081=order:8081.
func (r *Route) UnmarshalText(text []byte) error {
	from, to, _ := strings.Cut(string(text), "=")
	if !strings.Contains(from, ":") {
		from = ":" + from
	}
	for _, addr := range []string{from, to} {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			return fmt.Errorf("%q is not [HOST:]PORT=HOST:PORT", text)
		}
	}
	r.Listen, r.To = from, to
	return nil
}

// Help is shown by `quadrille forward --help`.
func (Command) Help() string {
	return `Each connection goes to one of the addresses that the name of a route stands for at that time, and to the
next one if there nobody listens. It knows nothing of what is said. Where a cluster has a load balancer, it is not
needed.

Examples:

  quadrille forward 8081=order:8081 8082=inventory:8082
  quadrille forward 127.0.0.1:8081=order:8081`
}

// Run forwards until ctx ends.
func (c Command) Run(ctx context.Context) error {
	var doors []*door
	for _, r := range c.Route {
		listener, err := net.Listen("tcp", r.Listen)
		if err != nil {
			for _, d := range doors {
				err = errors.Join(err, d.listener.Close())
			}
			return fmt.Errorf("forward %s to %s: %w", r.Listen, r.To, err)
		}
		doors = append(doors, newDoor(listener, r.To))
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, d := range doors {
		g.Go(func() error { return d.run(ctx) })
	}
	return g.Wait()
}
