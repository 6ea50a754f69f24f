package main

import (
	"context"
	"errors"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/deadletter"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/reset"
)

const description = `A dance for four: event-driven microservices on Kafka.

Start the platform with "quadrille up" and look at it from a second shell with the other commands. A command exits with
0 if all went well, with 1 if it failed, with 2 if it was not understood.`

// run does what args ask for.
func run(ctx context.Context, args []string) error {
	parser, err := newParser(ctx)
	if err != nil {
		return err
	}
	complete(parser)
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return parsed.Run()
}

// newParser knows all commands. Their Run gets ctx.
func newParser(ctx context.Context) (*kong.Kong, error) {
	return kong.New(&cli{}, kong.Name("quadrille"), kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 120}),
		kong.Vars{"services": strings.Join(serviceNames(), ",")},
		kong.BindTo(ctx, (*context.Context)(nil)))
}

// isUsage is true of a command line that was not understood.
func isUsage(err error) bool {
	_, ok := errors.AsType[*kong.ParseError](err)
	return ok || errors.Is(err, reset.ErrConfirm) || errors.Is(err, deadletter.ErrConfirm) ||
		errors.Is(err, operate.ErrOperator)
}

// commandOf is as much of the command line as was understood, whose help may say more.
func commandOf(err error) string {
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "quadrille"
}
