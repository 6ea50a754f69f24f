package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// services are what `up` runs, in the order in which they are started and listed.
var services = []entry{
	{order.Name, 8081, runs(order.Run, func(c *order.Config) *service.Config { return &c.Config })},
	{inventory.Name, 8082, runs(inventory.Run, func(c *inventory.Config) *service.Config { return &c.Config })},
	{payment.Name, 8083, runs(payment.Run, func(c *payment.Config) *service.Config { return &c.Config })},
}

// entry of a service.
type entry struct {
	name string
	// port of the API; the admin listener's is 1000 higher.
	port int
	// run runs the service until ctx ends. Load fills in its configuration.
	run func(ctx context.Context, load func(cfg any) error) error
}

type serviceCommand struct {
	Name     string `arg:"" enum:"${services}" help:"One of ${enum}."`
	Lifeline bool   `hidden:"" help:"Stop when standard input ends."`
}

func (c serviceCommand) Run(ctx context.Context) error {
	if c.Lifeline {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it, the parent is gone
			cancel()
		}()
	}
	return runService(ctx, c.Name, service.Load)
}

func serviceNames() []string {
	names := make([]string, len(services))
	for i, e := range services {
		names[i] = e.name
	}
	return names
}

// runService runs a service whose configuration load fills in.
func runService(ctx context.Context, name string, load func(cfg any) error) error {
	i := slices.IndexFunc(services, func(e entry) bool { return e.name == name })
	if i < 0 {
		return fmt.Errorf("no service is called %q; there are %s", name, strings.Join(serviceNames(), ", "))
	}
	return services[i].run(ctx, load)
}

// runs returns how an entry's service is run. Common returns the part of its Config that all services share.
func runs[C any](run func(context.Context, C) error, common func(*C) *service.Config,
) func(context.Context, func(any) error) error {
	return func(ctx context.Context, load func(any) error) error {
		var cfg C
		if err := load(&cfg); err != nil {
			return err
		}
		common(&cfg).Version = version
		return run(ctx, cfg)
	}
}
