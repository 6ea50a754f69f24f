package trace

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

// rounding is what two instants may differ by that were one: times are kept to the microsecond.
const rounding = 2 * time.Microsecond

// drawn shows a trace, one span a line.
func drawn(t jaeger.Trace) string {
	var b strings.Builder
	var draw func(nodes []*jaeger.Node, depth int)
	draw = func(nodes []*jaeger.Node, depth int) {
		for _, n := range nodes {
			fmt.Fprintf(&b, "%s%s: %s (%s, %s)\n", strings.Repeat("  ", depth), n.Service, n.Name, n.Kind, n.Duration)
			draw(n.Children, depth+1)
		}
	}
	draw(t.Tree(), 0)
	return b.String()
}

// line is a way down the tree: "service: name" of each span, with * for anything.
type line []string

// goesDown reports whether the trace has the line, from a root.
func goesDown(nodes []*jaeger.Node, l line) bool {
	return len(l) == 0 || slices.ContainsFunc(nodes, func(n *jaeger.Node) bool {
		matched, err := path.Match(strings.ReplaceAll(l[0], "/", "|"), strings.ReplaceAll(n.Service+": "+n.Name, "/", "|"))
		return err == nil && matched && goesDown(n.Children, l[1:])
	})
}

// has checks that the trace has all the lines.
func has(lines ...line) func(jaeger.Trace) error {
	return func(t jaeger.Trace) error {
		var errs []error
		for _, l := range lines {
			if !goesDown(t.Tree(), l) {
				errs = append(errs, fmt.Errorf("G11: the trace lacks %s", strings.Join(l, " > ")))
			}
		}
		return errors.Join(errs...)
	}
}

// whole checks what holds for every trace: one root, and each span in its place.
func whole(t jaeger.Trace) error {
	var errs []error
	roots := t.Tree()
	if len(roots) != 1 {
		errs = append(errs, fmt.Errorf("G11: the trace has %d roots, want one", len(roots)))
	}
	var walk func(parent *jaeger.Node, siblings []*jaeger.Node)
	walk = func(parent *jaeger.Node, siblings []*jaeger.Node) {
		for _, n := range siblings {
			if err := inPlace(parent, n, siblings); err != nil {
				errs = append(errs, fmt.Errorf("G11: %s: %s: %w", n.Service, n.Name, err))
			}
			if n.Failed && n.Attributes["error.type"] == "" && n.Kind == "consumer" {
				errs = append(errs, fmt.Errorf("G11: %s: %s failed and does not say why", n.Service, n.Name))
			}
			walk(n, n.Children)
		}
	}
	walk(nil, roots)
	return errors.Join(errs...)
}

// inPlace checks a span against its parent and its siblings.
func inPlace(parent, n *jaeger.Node, siblings []*jaeger.Node) error {
	if parent != nil && n.Start.Before(parent.Start.Add(-rounding)) {
		return errors.New("begins before its parent")
	}
	name, topic, _ := strings.Cut(n.Name, " ")
	switch {
	case name == "send":
		return errors.Join(kind(n, "producer"), messaging(n, "send", topic),
			follows(n, "outbox wait "+topic, siblings), within(parent, ""))
	case name == "process":
		return errors.Join(kind(n, "consumer"), messaging(n, "process", topic), about(n, "messaging.consumer.group.name"),
			follows(n, "kafka wait "+topic, siblings), within(parent, "send "+topic), linked(n))
	case n.Name == "unit of work":
		return errors.Join(kind(n, "internal"), about(n, "quadrille.scope", "quadrille.key", "quadrille.outcome"), linked(n))
	case strings.HasSuffix(n.Name, " payment"):
		return errors.Join(kind(n, "internal"), about(n, "quadrille.key", "quadrille.claim"), within(parent, "*"))
	case n.Name == "POST" || name == "mail":
		return errors.Join(kind(n, "client"), about(n, "server.address"), within(parent, "*"))
	case name == "POST":
		return errors.Join(kind(n, "server"), about(n, "http.request.method", "http.route", "http.response.status_code"))
	}
	return nil
}

func kind(n *jaeger.Node, want string) error {
	if n.Kind != want {
		return fmt.Errorf("is of kind %s, want %s", n.Kind, want)
	}
	return nil
}

// messaging checks what OpenTelemetry's conventions ask of a message that was sent or processed.
func messaging(n *jaeger.Node, operation, topic string) error {
	for name, want := range map[string]string{
		"messaging.system": "kafka", "messaging.destination.name": topic, "messaging.operation.name": operation,
		"messaging.operation.type": operation,
	} {
		if got := n.Attributes[name]; got != want {
			return fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	return about(n, "messaging.message.id", "messaging.kafka.message.key", "messaging.message.conversation_id",
		"messaging.destination.partition.id", "messaging.kafka.offset", "messaging.message.body.size",
		"cloudevents.event_type")
}

func about(n *jaeger.Node, names ...string) error {
	for _, name := range names {
		if n.Attributes[name] == "" {
			return fmt.Errorf("lacks %s", name)
		}
	}
	return nil
}

// follows checks that one of the siblings is the wait that ended when the span began. A later try of an event that was
// parked has waited in the service's own database.
func follows(n *jaeger.Node, wait string, siblings []*jaeger.Node) error {
	for _, s := range siblings {
		if s.Name == wait && s.Service == n.Service && n.Start.Sub(s.End()).Abs() <= rounding {
			return nil
		}
	}
	if n.Attributes["quadrille.attempt"] != "" {
		return nil
	}
	return fmt.Errorf("follows no %s", wait)
}

// within checks the name of the parent; empty and * stand for any.
func within(parent *jaeger.Node, want string) error {
	if parent == nil {
		return errors.New("has no parent")
	}
	if want != "" && want != "*" && parent.Name != want {
		return fmt.Errorf("is a part of %s, want %s", parent.Name, want)
	}
	return nil
}

// linked checks that a message names the turn of the unit of work that took it.
func linked(n *jaeger.Node) error {
	if len(n.Links) == 0 {
		return errors.New("links to no batch")
	}
	return nil
}
