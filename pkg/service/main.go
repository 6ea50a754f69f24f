package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/caarlos0/env/v11"
)

const prefix = "QUADRILLE_"

// Load reads cfg, a pointer to a struct with `env` tags, from the environment variables that begin with QUADRILLE_.
// The error names the variables at fault.
func Load(cfg any) error {
	err := env.ParseWithOptions(cfg, env.Options{Prefix: prefix})
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return fmt.Errorf("configuration: %w", err)
	}
	// The library names the field of the struct, which is nothing that an operator can set.
	variables := variablesOf(reflect.TypeOf(cfg).Elem())
	for i, err := range all.Errors {
		if fault, ok := errors.AsType[env.ParseError](err); ok && variables[fault.Name] != "" {
			all.Errors[i] = fmt.Errorf("%s%s: %w", prefix, variables[fault.Name], fault.Err)
		}
	}
	return fmt.Errorf("configuration: %w", errors.Join(all.Errors...))
}

// variablesOf returns the `env` tags of a struct and of those embedded in it, by field.
func variablesOf(t reflect.Type) map[string]string {
	variables := make(map[string]string)
	for _, field := range reflect.VisibleFields(t) {
		variables[field.Name], _, _ = strings.Cut(field.Tag.Get("env"), ",")
	}
	return variables
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
