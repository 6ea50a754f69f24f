package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// services are what `up` runs, in the order in which they are started and listed.
var services = []entry{
	{order.Name, 8081, runs(order.Run, func(c *order.Config) *service.Config { return &c.Config })},
	{inventory.Name, 8082, runs(inventory.Run, func(c *inventory.Config) *service.Config { return &c.Config })},
	{payment.Name, 8083, runs(payment.Run, func(c *payment.Config) *service.Config { return &c.Config })},
	{notification.Name, 8084, runs(notification.Run,
		func(c *notification.Config) *service.Config { return &c.Config })},
}

// entry of a service.
type entry struct {
	name string
	// port of the API; the admin listener's is 1000 higher.
	port int
	assembly
}

// assembly is how a service is run.
type assembly struct {
	// run runs the service until ctx ends. Load fills in its configuration.
	run func(ctx context.Context, load func(cfg any) error) error
	// config returns an empty Config of the service.
	config func() any
}

type serviceCommand struct {
	Name     string `arg:"" enum:"${services}" help:"One of ${enum}."`
	Env      bool   `help:"Print the environment variables that configure it, and stop."`
	Lifeline bool   `hidden:"" help:"Stop when standard input ends."`
}

func (c serviceCommand) Run(ctx context.Context) error {
	if c.Env {
		e, err := find(c.Name)
		if err == nil {
			service.WriteHelp(os.Stdout, e.config())
		}
		return err
	}
	if c.Lifeline {
		ctx = lifeline(ctx)
	}
	return runService(ctx, c.Name, loadFrom(env.ToMap(os.Environ())))
}

// loadFrom reads a service's configuration from variables.
func loadFrom(variables map[string]string) func(any) error {
	return func(cfg any) error { return service.LoadFrom(cfg, variables, knownNames()...) }
}

func serviceNames() []string {
	names := make([]string, len(services))
	for i, e := range services {
		names[i] = e.name
	}
	return names
}

func find(name string) (entry, error) {
	i := slices.IndexFunc(services, func(e entry) bool { return e.name == name })
	if i < 0 {
		return entry{}, fmt.Errorf("no service is called %q; there are %s", name, strings.Join(serviceNames(), ", "))
	}
	return services[i], nil
}

// runService runs a service whose configuration load fills in.
func runService(ctx context.Context, name string, load func(cfg any) error) error {
	e, err := find(name)
	if err != nil {
		return err
	}
	return e.run(ctx, load)
}

// runs returns how a service is run. Common returns the part of its Config that all services share.
func runs[C any](run func(context.Context, C) error, common func(*C) *service.Config) assembly {
	return assembly{
		run: func(ctx context.Context, load func(any) error) error {
			var cfg C
			if err := load(&cfg); err != nil {
				return err
			}
			common(&cfg).Version, common(&cfg).Revision = version, revision
			return run(ctx, cfg)
		},
		config: func() any { return new(C) },
	}
}
