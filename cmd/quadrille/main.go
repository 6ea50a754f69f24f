// Command quadrille runs the platform, a service of it, or a task of its operation. `quadrille --help` lists them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type cli struct {
	Up      upCommand      `cmd:"" help:"Run the whole platform on this machine: broker, registry, gateway and the services."`
	Service serviceCommand `cmd:"" help:"Run one service, configured by QUADRILLE_* environment variables."`
	Gateway gatewayCommand `cmd:"" help:"Run the payment gateway."`
	Apply   applyCommand   `cmd:"" help:"Create the topics and register the schemas. Safe to repeat."`
	Version versionCommand `cmd:"" help:"Print version and revision."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var c cli
	parsed := kong.Parse(&c, kong.Name("quadrille"), kong.UsageOnError(),
		kong.Description("A dance for four: event-driven microservices on Kafka."),
		kong.Vars{"services": strings.Join(serviceNames(), ",")},
		kong.BindTo(ctx, (*context.Context)(nil)))
	err := parsed.Run()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quadrille:", err)
		os.Exit(1)
	}
}
