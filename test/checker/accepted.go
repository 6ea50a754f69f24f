package checker

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const ordersPath = "/v1/orders"

// accepted checks G1: what was accepted is there and on Kafka, what was refused left nothing, and one Idempotency-Key
// has one effect.
func (c *check) accepted() {
	c.published()
	if c.Sent == nil {
		return
	}
	known := make(map[string]bool)
	for _, o := range c.Orders {
		known[o.ID] = true
	}
	placed := make(map[string]bool)
	for _, s := range c.Sent {
		if !s.accepted() {
			continue
		}
		switch {
		case s.places():
			placed[s.Resource] = true
			if !known[s.Resource] {
				c.violated("G1", s.Resource, "the order was accepted (%d) and is not there", s.Status)
			}
			if !c.told(events("order"), s.Resource, "OrderPlaced") {
				c.violated("G1", s.Resource, "the order was accepted (%d) and OrderPlaced is not on Kafka", s.Status)
			}
		case s.cancels() != "":
			if !c.told(events("order"), s.cancels(), "OrderCancelled") {
				c.violated("G1", s.cancels(), "its cancellation was accepted (%d) and OrderCancelled is not on Kafka",
					s.Status)
			}
		}
	}
	c.unasked(placed)
	c.keys()
	c.puts()
}

// published holds what order says of its events against its topic.
func (c *check) published() {
	for id, history := range c.Histories {
		var public []client.OrderEvent
		for _, e := range history {
			if e.Published {
				public = append(public, e)
			}
		}
		facts := c.facts[stream{events("order"), id}]
		for _, e := range public {
			r, there := c.byID[e.ID]
			switch {
			case !there:
				c.violated("G1", id, "%s (%s) was committed and is not on Kafka", e.Type, e.ID)
			case r.kind() != e.Type || r.Event.Sequence != e.Version || string(r.Key) != id:
				c.violated("G1", id, "%s (%s) as version %d is %s with sequence %d on Kafka", e.Type, e.ID, e.Version,
					r.kind(), r.Event.Sequence)
			}
		}
		if len(facts) > len(public) {
			c.violated("G1", id, "%d of its events are on Kafka, %d were committed", len(facts), len(public))
		}
	}
	for key := range c.facts {
		if _, known := c.Histories[key.key]; key.topic == events("order") && !known && c.Histories != nil {
			c.violated("G1", key.key, "there are events of the order on Kafka, and no order")
		}
	}
}

// unasked looks for orders that nobody was told of: each must be one of a request whose answer is not known.
func (c *check) unasked(placed map[string]bool) {
	unknown := make(map[string]map[string]bool) // requests by what they ask for
	for n, s := range c.Sent {
		if s.places() && c.mayBeDone(s) {
			body := s.purchase().String()
			if unknown[body] == nil {
				unknown[body] = make(map[string]bool)
			}
			if s.Key == "" {
				s.Key = fmt.Sprint("request ", n)
			}
			unknown[body][s.Key] = true
		}
	}
	// A request whose answer was lost may be known from its repetition.
	for _, s := range c.Sent {
		if s.places() && s.accepted() && s.Key != "" {
			delete(unknown[s.purchase().String()], s.Key)
		}
	}
	left := make(map[string]int)
	for body, keys := range unknown {
		left[body] = len(keys)
	}
	for _, o := range c.Orders {
		if placed[o.ID] {
			continue
		}
		body := purchase{Customer: o.CustomerID, Lines: o.Lines}.String()
		if left[body]--; left[body] < 0 {
			c.violated("G1", o.ID, "nobody was told of the order, and no request for %s has an unknown outcome", body)
		}
	}
}

// mayBeDone reports whether the outcome of a request is unknown.
func (c *check) mayBeDone(s Sent) bool {
	return s.Status == 0 || s.Status >= http.StatusInternalServerError &&
		(s.Status != http.StatusServiceUnavailable || !c.BusyUndone)
}

// keys checks that equal Idempotency-Keys share one outcome.
func (c *check) keys() {
	first := make(map[string]Sent)
	for _, s := range c.Sent {
		if s.Key == "" || !s.accepted() {
			continue
		}
		name := s.Method + " " + s.Path + " " + s.Key
		earlier, seen := first[name]
		switch {
		case !seen:
			first[name] = s
		case earlier.Resource != s.Resource || earlier.Status != s.Status:
			c.violated("G1", s.Resource, "the Idempotency-Key %q of %s %s was answered with %d %s and with %d %s",
				s.Key, s.Method, s.Path, earlier.Status, earlier.Resource, s.Status, s.Resource)
		case !sameJSON(earlier.Body, s.Body):
			c.violated("G1", s.Resource, "the Idempotency-Key %q of %s %s was accepted with two bodies", s.Key,
				s.Method, s.Path)
		}
	}
}

// puts checks that a product that was put is one of those asked for.
func (c *check) puts() {
	asked := make(map[string][]putProduct)
	done := make(map[string]bool)
	for _, s := range c.Sent {
		sku, put, ok := s.puts()
		if ok && (s.accepted() || c.mayBeDone(s)) {
			asked[sku] = append(asked[sku], put)
			done[sku] = done[sku] || s.accepted()
		}
	}
	for sku := range done {
		if !done[sku] {
			continue
		}
		found := false
		for _, p := range c.Products {
			if p.SKU != sku {
				continue
			}
			for _, put := range asked[sku] {
				found = found || p.Name == put.Name && p.Price == put.Price
			}
			if !found {
				c.violated("G1", sku, "inventory has it as %q at %d %s, which nobody asked for", p.Name, p.Price.Amount,
					p.Price.Currency)
				found = true
			}
		}
		if !found {
			c.violated("G1", sku, "the product was accepted and inventory does not have it")
		}
	}
}

func (s Sent) accepted() bool {
	return s.Status >= http.StatusOK && s.Status < http.StatusMultipleChoices
}

func (s Sent) places() bool { return s.Method == http.MethodPost && s.Path == ordersPath }

// cancels returns the order whose cancellation was asked for.
func (s Sent) cancels() string {
	id, ok := strings.CutSuffix(strings.TrimPrefix(s.Path, ordersPath+"/"), "/cancellation")
	if !ok || s.Method != http.MethodPost {
		return ""
	}
	return id
}
