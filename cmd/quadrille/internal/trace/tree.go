package trace

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

// draw prints a trace as a tree.
func draw(to io.Writer, t jaeger.Trace) error {
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s\n\n%10s  %10s\n", t.ID, "BEGAN", "TOOK")
	began := t.Spans[0].Start
	var branch func(nodes []*jaeger.Node, indent string, root bool)
	branch = func(nodes []*jaeger.Node, indent string, root bool) {
		for i, n := range nodes {
			twig, below := "├─ ", "│  "
			if i == len(nodes)-1 {
				twig, below = "└─ ", "   "
			}
			if root {
				twig, below = "", ""
			}
			fmt.Fprintf(&b, "%10s  %10s  %s%s%s  %s%s\n", milliseconds(n.Start.Sub(began)), milliseconds(n.Duration),
				indent, twig, n.Service, n.Name, remark(n.Span))
			branch(n.Children, indent+below, false)
		}
	}
	branch(t.Tree(), "", true)
	spans := "spans"
	if len(t.Spans) == 1 {
		spans = "span"
	}
	fmt.Fprintf(&b, "\n%10s  %10s  %d %s of %s\n", "", milliseconds(t.Duration()), len(t.Spans), spans,
		strings.Join(t.Services(), ", "))
	_, err := io.WriteString(to, b.String())
	return err
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// remark is what else there is to say of a span: the event that it is about, what asked for a change, how it failed.
func remark(s jaeger.Span) string {
	var remarks []string
	kind := s.Attributes["cloudevents.event_type"]
	remarks = append(remarks, kind[strings.LastIndexByte(kind, '.')+1:])
	if scope := s.Attributes["quadrille.scope"]; scope == "timer" || scope == "call" {
		remarks = append(remarks, scope)
	}
	if attempt := s.Attributes["quadrille.attempt"]; attempt != "" {
		remarks = append(remarks, "attempt "+attempt)
	}
	if status := s.Attributes["http.response.status_code"]; status != "" {
		remarks = append(remarks, status)
	}
	if s.Failed {
		why := cmp.Or(s.Attributes["error.type"], s.Attributes["otel.status_description"])
		remarks = append(remarks, "failed: "+why)
	}
	var text strings.Builder
	for _, r := range remarks {
		if r != "" {
			text.WriteString("  " + r)
		}
	}
	return text.String()
}
