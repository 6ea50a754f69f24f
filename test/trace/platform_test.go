// Package trace tests that an order is one trace (G11): a whole platform runs, its spans go where traces are kept, and
// the trace is read back from there.
package trace

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/jaeger"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

const (
	// patience bounds every wait. It is no expectation: a condition comes when it comes.
	patience = 2 * time.Minute
	// orderTimeout is long for a payment that is answered, and short for a test that waits for it.
	orderTimeout = 15 * time.Second
	sku          = "traced"
)

var built binary.Shared

func TestMain(m *testing.M) { built.Run(m) }

// platform is a running `quadrille up` whose traces are read from Jaeger, or from what speaks like it.
type platform struct {
	*launch.Platform
	jaeger *jaeger.Client
	// logs is the folder of what the services say, refused the file that says which events are refused.
	logs, refused string
}

// up starts the platform. Its spans go to the OTLP endpoint, and come back from pages.
func up(t *testing.T, endpoint, pages string) *platform {
	t.Helper()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := jaeger.New(pages)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	p := &platform{jaeger: kept, logs: filepath.Join(data, "logs"), refused: filepath.Join(data, "refused")}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p.Platform, err = launch.Up(ctx, launch.Config{
		Path: path, Args: []string{
			"--free-ports", "--data", data, "--set", "QUADRILLE_ORDER_TIMEOUT=" + orderTimeout.String(),
			"--set", "QUADRILLE_LOG_LEVEL=debug", "--set", "QUADRILLE_PARK_FIRST_PAUSE=200ms",
		},
		Env: []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint, "OTEL_BSP_SCHEDULE_DELAY=100", "OTEL_TRACES_SAMPLER=",
			"OTEL_RESOURCE_ATTRIBUTES=", "OTEL_SERVICE_NAME=", "QUADRILLE_TEST_REFUSE=" + p.refused,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	if err := p.Stock(ctx, sku, client.Money{Amount: 100, Currency: "EUR"}, 100); err != nil {
		t.Fatal(err)
	}
	return p
}

// place places an order that must be accepted.
func (p *platform) place(t *testing.T, email, method string) client.Order {
	t.Helper()
	purchase := client.Buy(method, client.Line{SKU: sku, Quantity: 1})
	purchase.Email = email
	o, err := p.Place(t.Context(), purchase)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// traced waits until the one trace of an order satisfies check, and returns it.
func (p *platform) traced(t *testing.T, id string, check func(jaeger.Trace) error) jaeger.Trace {
	t.Helper()
	var trace jaeger.Trace
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := client.Until(ctx, "the trace of "+id, func() error {
		found, err := p.jaeger.Find(ctx, "order", map[string]string{"quadrille.key": id})
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("G11: order %s has %d traces, want one", id, len(found))
		}
		trace = found[0]
		return errors.Join(whole(trace), check(trace))
	})
	if err != nil {
		t.Fatalf("%v\nthe trace is\n%s", err, drawn(trace))
	}
	return trace
}
