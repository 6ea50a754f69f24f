package service

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/caarlos0/env/v11"
)

// Load reads cfg, a pointer to a struct with `env` tags, from the environment variables that begin with QUADRILLE_.
func Load(cfg any) error {
	if err := env.ParseWithOptions(cfg, env.Options{Prefix: "QUADRILLE_"}); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

// Main runs a service's Run until SIGINT or SIGTERM and returns the process's exit status.
func Main(run func(context.Context) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "quadrille:", err)
		return 1
	}
	return 0
}
