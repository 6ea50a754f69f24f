package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

type upCommand struct {
	Data      string            `help:"Folder of everything that lasts." default:"data" type:"path"`
	Ephemeral bool              `help:"Keep everything in a temporary folder, removed at the end."`
	Without   []string          `help:"Leave this service out, to start it elsewhere; its environment is printed." placeholder:"NAME" predictor:"service"`
	InProcess bool              `help:"Run the services inside this process, for a debugger."`
	FreePorts bool              `help:"Take free ports instead of the documented ones."`
	Addr      map[string]string `help:"Address of a part instead of the documented one, such as order=127.0.0.1:7081, order-admin=… or kafka=…" placeholder:"PART=HOST:PORT"`
	JSON      bool              `help:"Print the addresses as one line of JSON when all is ready."`
	Database  map[string]string `help:"Database of a service instead of SQLite, such as order=postgres://…" placeholder:"NAME=URL"`
	Lifeline  bool              `hidden:"" help:"Stop when standard input ends."`
	Set       map[string]string `help:"Further environment variables of the services, such as QUADRILLE_ORDER_TIMEOUT=10s" placeholder:"NAME=VALUE"`
}

// Run starts the outside world first, then the services, and stops them in the opposite order.
func (c upCommand) Run(ctx context.Context) error {
	if c.Lifeline {
		ctx = lifeline(ctx)
	}
	for _, name := range append(slices.Clone(c.Without), keys(c.Database)...) {
		if !slices.Contains(serviceNames(), name) {
			return fmt.Errorf("no service is called %q; there are %s", name, strings.Join(serviceNames(), ", "))
		}
	}
	if err := errors.Join(service.CheckNames(env.ToMap(os.Environ()), knownNames()), checkSet(c.Set)); err != nil {
		return err
	}
	addrs := defaultAddresses()
	if c.FreePorts {
		var err error
		if addrs, err = freeAddresses(); err != nil {
			return err
		}
	}
	if err := addrs.override(c.Addr); err != nil {
		return err
	}
	if err := addrs.checkFree(c.Without); err != nil {
		return err
	}
	if c.Ephemeral {
		folder, err := os.MkdirTemp("", "quadrille-")
		if err != nil {
			return fmt.Errorf("temporary folder: %w", err)
		}
		defer os.RemoveAll(folder)
		c.Data = folder
	}
	logs := filepath.Join(c.Data, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}

	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	world, err := startWorld(c.Data, addrs, logger)
	if err != nil {
		return err
	}
	err = c.serve(ctx, addrs, world, logs)
	return errors.Join(err, world.close())
}

// serve runs the services until ctx ends or one of them cannot be kept alive.
func (c upCommand) serve(ctx context.Context, addrs addresses, world *world, logs string) error {
	if _, err := apply(ctx, []string{addrs.Kafka}, world.registryURL); err != nil {
		return err
	}
	if c.InProcess {
		for name, value := range c.Set { // OpenTelemetry's variables are read from the environment alone
			if err := os.Setenv(name, value); err != nil {
				return fmt.Errorf("set %s: %w", name, err)
			}
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	var running []string
	for _, e := range services {
		variables := c.environment(e, addrs, world)
		if slices.Contains(c.Without, e.name) {
			printEnvironment(os.Stdout, e.name, variables)
			continue
		}
		running = append(running, e.name)
		if c.InProcess {
			own := env.ToMap(os.Environ())
			maps.Copy(own, variables)
			g.Go(func() error { return e.run(ctx, loadFrom(own)) })
			continue
		}
		g.Go(func() error { return supervise(ctx, e.name, variables, filepath.Join(logs, e.name+".log")) })
	}
	g.Go(func() error { <-ctx.Done(); return nil }) // also when every service is left out
	g.Go(func() error {
		if err := settle(ctx, patience{os.Stderr}, c.Data, addrs, running); err != nil {
			return err
		}
		return announce(os.Stdout, addrs, running, c)
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// environment of a service: what it would be told anywhere else, with the addresses of this platform. Variables of
// other services are left out.
func (c upCommand) environment(e entry, addrs addresses, world *world) map[string]string {
	database := "sqlite://" + filepath.ToSlash(filepath.Join(c.Data, e.name+".db"))
	if url := c.Database[e.name]; url != "" {
		database = url
	}
	variables := map[string]string{
		"QUADRILLE_HTTP_ADDR":     addrs.Services[e.name],
		"QUADRILLE_ADMIN_ADDR":    addrs.Admin[e.name],
		"QUADRILLE_DATABASE_URL":  database,
		"QUADRILLE_KAFKA_BROKERS": addrs.Kafka,
		"QUADRILLE_REGISTRY_URL":  world.registryURL,
		"QUADRILLE_GATEWAY_URL":   world.gatewayURL,
		"QUADRILLE_SMTP_ADDR":     world.smtpAddr,
	}
	maps.Copy(variables, c.Set)
	read := e.variables()
	maps.DeleteFunc(variables, func(name, _ string) bool {
		return strings.HasPrefix(name, service.Prefix) && !slices.Contains(read, name)
	})
	return variables
}

func keys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
