package trace

import (
	"time"

	"github.com/quadrille-platform/quadrille/platform/jaeger"
)

// description is a trace as `quadrille trace --json` prints it. Times are in microseconds.
type description struct {
	OrderID  string    `json:"order_id"`
	TraceID  string    `json:"trace_id"`
	Services []string  `json:"services"`
	Began    time.Time `json:"began_at"`
	Took     int64     `json:"took_us"`
	Spans    []span    `json:"spans"` // each after its parent
}

type span struct {
	ID         string            `json:"span_id"`
	Parent     string            `json:"parent_id,omitempty"`
	Depth      int               `json:"depth"`
	Service    string            `json:"service"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Began      int64             `json:"began_us"` // after the first span
	Took       int64             `json:"took_us"`
	Failed     bool              `json:"failed"`
	Attributes map[string]string `json:"attributes"`
	Links      []string          `json:"links,omitempty"` // as trace/span
}

func describe(order string, t jaeger.Trace) description {
	d := description{
		OrderID: order, TraceID: t.ID, Services: t.Services(), Began: t.Spans[0].Start,
		Took: t.Duration().Microseconds(),
	}
	var add func(nodes []*jaeger.Node, depth int)
	add = func(nodes []*jaeger.Node, depth int) {
		for _, n := range nodes {
			d.Spans = append(d.Spans, span{
				ID: n.ID, Parent: n.Parent, Depth: depth, Service: n.Service, Name: n.Name, Kind: n.Kind,
				Began: n.Start.Sub(d.Began).Microseconds(), Took: n.Duration.Microseconds(), Failed: n.Failed,
				Attributes: n.Attributes, Links: n.Links,
			})
			add(n.Children, depth+1)
		}
	}
	add(t.Tree(), 0)
	return d
}
