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

type serviceCommand struct {
	Name     string `arg:"" enum:"order,inventory,payment" help:"order, inventory or payment."`
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

// serviceNames in the order in which they are started and listed.
var serviceNames = []string{order.Name, inventory.Name, payment.Name}

// runService runs a service whose configuration load fills in.
func runService(ctx context.Context, name string, load func(cfg any) error) error {
	switch name {
	case order.Name:
		return runWith(ctx, load, order.Config{}, func(c *order.Config) { c.Version = version }, order.Run)
	case inventory.Name:
		return runWith(ctx, load, inventory.Config{}, func(c *inventory.Config) { c.Version = version }, inventory.Run)
	case payment.Name:
		return runWith(ctx, load, payment.Config{}, func(c *payment.Config) { c.Version = version }, payment.Run)
	}
	return fmt.Errorf("no service is called %q; there are %s", name, strings.Join(slices.Clone(serviceNames), ", "))
}

func runWith[C any](ctx context.Context, load func(any) error, cfg C, adjust func(*C),
	run func(context.Context, C) error) error {
	if err := load(&cfg); err != nil {
		return err
	}
	adjust(&cfg)
	return run(ctx, cfg)
}
