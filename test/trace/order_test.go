package trace

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

func TestAnOrderIsOneTrace(t *testing.T) {
	kept := newReceiver(t)
	walk(t, up(t, kept, kept), kept)
}

// walk places orders and looks at their traces.
func walk(t *testing.T, p *platform, pages string) {
	t.Run("confirmed", func(t *testing.T) { p.confirmed(t, pages) })
	t.Run("timed out", p.timedOut)
	t.Run("parked", p.parked)
	t.Run("logged", p.logged)
}

// From the request to the mail, and into the batches that its messages shared.
func (p *platform) confirmed(t *testing.T, pages string) {
	o := p.place(t, "ada@example.com", "tok_visa")
	placed := line{"order: POST /v1/orders", "order: unit of work", "order: send order.events"}
	below := func(l line, more ...string) line { return append(slices.Clone(l), more...) }
	reserved := below(placed, "inventory: process order.events", "inventory: send inventory.events")
	captured := line{"payment: process order.events", "payment: capture payment", "payment: unit of work",
		"payment: send payment.events", "order: process payment.events"}
	mailed := line{"notification: process order.events", "notification: mail confirmation", "notification: unit of work",
		"notification: send notification.events"}
	trace := p.traced(t, o.ID, func(trace jaeger.Trace) error {
		err := has(
			line{"order: POST /v1/orders", "order: unit of work", "order: outbox wait order.events"},
			below(placed, "inventory: kafka wait order.events"),
			below(reserved, "order: process inventory.events"),
			below(placed, "notification: process order.events"),
		)(trace)
		var all []*jaeger.Node
		for _, root := range trace.Tree() {
			all = append(all, nodesOf(root)...)
		}
		for _, l := range []line{
			{"payment: process *", "payment: authorize payment", "payment: POST"},
			{"payment: authorize payment", "payment: unit of work", "payment: send payment.events", "order: process payment.events"},
			below(line{"order: process *", "order: send order.events"}, captured...),
			below(line{"order: process *", "order: send order.events"}, mailed...),
			below(line{"order: process *", "order: send order.events"}, "inventory: process order.events",
				"inventory: send inventory.events", "order: process inventory.events"),
		} {
			if !goesDown(all, l) {
				err = errors.Join(err, fmt.Errorf("G11: the trace lacks … > %s", strings.Join(l, " > ")))
			}
		}
		return err
	})

	names := trace.Services()
	slices.Sort(names)
	if want := []string{"inventory", "notification", "order", "payment"}; !slices.Equal(names, want) {
		t.Errorf("G11: the trace has the services %q, want %q", names, want)
	}
	for _, s := range trace.Spans {
		for name, value := range s.Attributes {
			if strings.Contains(value, "ada@example.com") || strings.Contains(value, "tok_visa") {
				t.Errorf("%s of %s: %s holds personal data: %s", name, s.Service, s.Name, value)
			}
		}
	}
	p.batches(t, trace)
	p.printed(t, pages, o.ID, trace)
}

// nodesOf returns a node and all below it.
func nodesOf(n *jaeger.Node) []*jaeger.Node {
	all := []*jaeger.Node{n}
	for _, child := range n.Children {
		all = append(all, nodesOf(child)...)
	}
	return all
}

// batches checks that each turn of the unit of work that a message names is there, in a trace of its own, and names the
// message.
func (p *platform) batches(t *testing.T, trace jaeger.Trace) {
	t.Helper()
	for _, s := range trace.Spans {
		for _, link := range s.Links {
			id, _, _ := strings.Cut(link, "/")
			err := client.Until(t.Context(), "the batch of "+s.Name, func() error {
				batch, err := p.jaeger.Read(t.Context(), id)
				switch {
				case err != nil:
					return err
				case len(batch.Spans) != 1 || batch.Spans[0].Name != "unit of work, batch" || batch.Spans[0].Parent != "":
					return fmt.Errorf("G11: trace %s is %s", id, drawn(batch))
				case !slices.Contains(batch.Spans[0].Links, trace.ID+"/"+s.ID):
					return fmt.Errorf("G11: the batch does not name %s: %q", s.ID, batch.Spans[0].Links)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// A timer, and what it leads to, belongs to the order that it is about.
func (p *platform) timedOut(t *testing.T) {
	o := p.place(t, "ada@example.com", "tok_timeout")
	placed := line{"order: POST /v1/orders", "order: unit of work"}
	trace := p.traced(t, o.ID, has(
		append(slices.Clone(placed), "order: unit of work", "order: send order.events", "inventory: process order.events",
			"inventory: send inventory.events", "order: process inventory.events"),
		append(slices.Clone(placed), "order: unit of work", "order: send order.events", "notification: process order.events",
			"notification: mail cancellation", "notification: unit of work")))
	if !slices.ContainsFunc(trace.Spans, func(s jaeger.Span) bool { return s.Attributes["quadrille.scope"] == "timer" }) {
		t.Errorf("G11: the trace has no timer:\n%s", drawn(trace))
	}
}

// A later try of an event stands beside the first, below the event.
func (p *platform) parked(t *testing.T) {
	o := p.place(t, "ada@example.com", "tok_slow")
	draft := p.refused + ".draft"
	if err := errors.Join(os.WriteFile(draft, []byte(o.ID+" notification\n"), 0o600), os.Rename(draft, p.refused)); err != nil {
		t.Fatal(err)
	}
	attempt := func(trace jaeger.Trace, failed bool) error {
		for _, s := range trace.Spans {
			if s.Service == "notification" && s.Attributes["quadrille.attempt"] != "" && s.Failed == failed {
				return nil
			}
		}
		return fmt.Errorf("G11: no later try of a parked event with failed = %t", failed)
	}
	p.traced(t, o.ID, func(trace jaeger.Trace) error { return attempt(trace, true) })
	if err := os.Remove(p.refused); err != nil {
		t.Fatal(err)
	}
	p.traced(t, o.ID, func(trace jaeger.Trace) error { return attempt(trace, false) })
}
