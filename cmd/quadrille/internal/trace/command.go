// Package trace is `quadrille trace`: it prints what an order led to, span by span, as Jaeger has it.
package trace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

// Command is `quadrille trace`.
type Command struct {
	Order  string `arg:"" help:"Id of the order."`
	Jaeger string `help:"Jaeger, by the URL of its pages." env:"QUADRILLE_JAEGER_URL" default:"http://127.0.0.1:16686" placeholder:"URL"`
	JSON   bool   `help:"Print one JSON object a trace."`
}

// Help is shown by `quadrille trace --help`.
func (Command) Help() string {
	return `Prints the trace of an order as a tree, each span with when it began after the first one, how long it took,
its service and its name. The spans "outbox wait" and "kafka wait" are the times that an event has waited, for the
relay and on its topic. What comes last is the time from the first span to the end of the last.

The services send their spans where OTEL_EXPORTER_OTLP_ENDPOINT says, some seconds after they have ended, and only of
requests that OTEL_TRACES_SAMPLER takes. A request that asks for something else about the order, such as its
cancellation, has a trace of its own, which is printed after the first.

Examples:

  quadrille trace 0199b1a4-0000-7000-8000-000000000001
  quadrille trace 0199b1a4-0000-7000-8000-000000000001 --jaeger https://jaeger.example
  quadrille trace 0199b1a4-0000-7000-8000-000000000001 --json`
}

// Run prints the traces of the order.
func (c Command) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c Command) run(ctx context.Context, to io.Writer) error {
	client, err := jaeger.New(c.Jaeger)
	if err != nil {
		return fmt.Errorf("--jaeger: %w", err)
	}
	traces, err := client.Find(ctx, "order", map[string]string{"quadrille.key": c.Order})
	if errors.Is(err, jaeger.ErrAway) {
		return fmt.Errorf("%w; start Jaeger, let the services send spans to it by OTEL_EXPORTER_OTLP_ENDPOINT, and "+
			"give the URL of its pages with --jaeger", err)
	}
	if err != nil {
		return err
	}
	if len(traces) == 0 {
		return fmt.Errorf("the Jaeger at %s has no trace of order %s: it may not have come yet, the services may not "+
			"send spans there (OTEL_EXPORTER_OTLP_ENDPOINT), or the request was not sampled (OTEL_TRACES_SAMPLER)",
			c.Jaeger, c.Order)
	}
	for i, t := range traces {
		err := error(nil)
		switch {
		case c.JSON:
			err = json.NewEncoder(to).Encode(describe(c.Order, t))
		case i > 0:
			_, err = fmt.Fprintln(to)
			fallthrough
		default:
			err = errors.Join(err, draw(to, t))
		}
		if err != nil {
			return fmt.Errorf("print the trace: %w", err)
		}
	}
	return nil
}
