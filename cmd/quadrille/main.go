// Command quadrille runs the platform, a service of it, or a task of its operation. `quadrille --help` lists them.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/catalogue"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/check"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/deadletter"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/demo"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/events"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/forward"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/loadtest"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/reset"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/trace"
	"github.com/quadrille-platform/quadrille/pkg/service"
)

type cli struct {
	Up         upCommand          `cmd:"" help:"Run the whole platform on this machine: broker, registry, gateway, mailbox and the services."`
	Demo       demo.Command       `cmd:"" help:"Show what the platform can: one step a capability, its fault and its harmless end."`
	Events     events.Command     `cmd:"" help:"Print what is on the topics, decoded."`
	Trace      trace.Command      `cmd:"" help:"Print the trace of an order as a tree, with the latency of each hop."`
	Sagas      operate.Sagas      `cmd:"" help:"List the orders that wait for other services."`
	Settle     operate.Settle     `cmd:"" help:"Settle by hand a payment that the gateway refuses for good to undo."`
	Rebuild    operate.Rebuild    `cmd:"" help:"Make a read model of the order service anew while it is served."`
	Deadletter deadletter.Command `cmd:"" help:"See, redrive and discard messages that could not be handled."`
	Loadtest   loadtest.Command   `cmd:"" help:"Place orders at a fixed rate and measure how long they take."`
	Reset      reset.Command      `cmd:"" help:"Remove the data folder, so that the next start begins anew."`
	Service    serviceCommand     `cmd:"" help:"Run one service, configured by QUADRILLE_* environment variables."`
	Gateway    gatewayCommand     `cmd:"" help:"Run the payment gateway."`
	Mailbox    mailboxCommand     `cmd:"" help:"Run the mail server that delivers nothing and shows every mail."`
	Apply      applyCommand       `cmd:"" help:"Create the topics and register the schemas. Safe to repeat."`
	Check      check.Command      `cmd:"" help:"Compare the schemas with the golden versions and with a registry. Changes nothing."`
	Catalogue  catalogue.Command  `cmd:"" help:"Show topics and events: who publishes them, who reads them, what they say."`
	Completion completionCommand  `cmd:"" help:"Let the shell complete commands, flags and values."`
	Version    versionCommand     `cmd:"" help:"Print version and revision."`

	Stock       stockCommand       `cmd:"" help:"Stock sample products where there is none."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a service whether it is ready."`
	Forward     forward.Command    `cmd:"" help:"Forward connections to the replicas of services."`

	Broker        brokerCommand        `cmd:"" hidden:"" help:"Run the broker alone."`
	Configuration configurationCommand `cmd:"" hidden:"" help:"Write the page of all variables, or the example of a file."`
}

// Exit codes, beside 0.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := service.UntilSignal(context.Background())
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case isUsage(err):
		fmt.Fprintf(os.Stderr, "quadrille: %v\nsee %s --help\n", err, commandOf(err))
		os.Exit(exitUsage)
	case err != nil:
		fmt.Fprintln(os.Stderr, "quadrille:", err)
		os.Exit(exitFailed)
	}
}
