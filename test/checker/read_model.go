package checker

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// readModels checks what is derived (G10): lists, the fold of histories, the copy of the catalogue.
func (c *check) readModels() {
	for _, o := range c.Orders {
		shown, there := c.Shown[o.ID]
		if c.Shown == nil {
			break
		}
		if !there || !reflect.DeepEqual(o, shown) {
			c.violated("G10", o.ID, "the list shows %+v, the order itself is %+v", o, shown)
		}
		if history, there := c.Histories[o.ID]; there {
			c.folded(shown, history)
		}
	}
	c.catalogue()
}

// folded checks an order against the fold of its history.
func (c *check) folded(o client.Order, history []client.OrderEvent) {
	status, reason := "", ""
	seen := make(map[string]bool)
	for _, e := range history {
		seen[e.Type] = true
		switch e.Type {
		case "OrderPlaced":
			status = "pending"
		case "OrderConfirmed":
			status = "confirmed"
		case "OrderCancelled":
			status, reason = "cancelled", reasonOf(e)
		}
	}
	completed := status == "confirmed" && seen["StockCommitted"] && seen["PaymentCaptured"] ||
		status == "cancelled" && seen["StockReleased"] && (seen["PaymentVoided"] || seen["PaymentRefunded"])
	want := fmt.Sprintf("%s %s version %d, completed %t", status, reason, len(history), completed)
	got := fmt.Sprintf("%s %s version %d, completed %t", o.Status, o.Reason, o.Version, o.Completed)
	if want != got {
		c.violated("G10", o.ID, "it is shown as %s, and its history says %s", got, want)
	}
	for _, step := range o.Steps {
		if want := furthest(step.Name, seen); step.Status != want {
			c.violated("G10", o.ID, "its %s is shown as %s, and its history says %s", step.Name, step.Status, want)
		}
	}
}

// steps are the statuses of each step and what leads to them, in the order in which they outdo each other.
var steps = map[string][][2]string{
	"stock": {
		{"StockReserved", "reserved"}, {"StockReservationFailed", "failed"}, {"StockCommitted", "committed"},
		{"StockReleased", "released"},
	},
	"payment": {
		{"PaymentAuthorized", "authorized"}, {"PaymentDeclined", "declined"}, {"PaymentCaptured", "captured"},
		{"PaymentCaptureFailed", "capture_failed"}, {"PaymentVoided", "voided"}, {"PaymentRefunded", "refunded"},
	},
}

func furthest(step string, seen map[string]bool) string {
	status := "pending"
	for _, s := range steps[step] {
		if seen[s[0]] {
			status = s[1]
		}
	}
	return status
}

// catalogue checks that order sells what was published last, and that this is what inventory has.
func (c *check) catalogue() {
	newest := make(map[string]Record)
	for _, r := range c.Log {
		if !c.unlogged[r.Topic] || r.Fault != nil || r.Unknown || c.isPoison(r) {
			continue
		}
		sku := string(r.Key)
		if known, there := newest[sku]; !there || known.Event.Sequence < r.Event.Sequence {
			newest[sku] = r
		}
	}
	if c.Catalogue == nil || len(c.Log) == 0 {
		return
	}
	for sku, r := range newest {
		if c.open[sku] {
			continue
		}
		at := slices.IndexFunc(c.Catalogue, func(p client.Product) bool { return p.SKU == sku })
		data, ok := r.Event.Data.(*schemas.ProductUpdated)
		switch {
		case !ok && at >= 0:
			c.violated("G10", sku, "order sells it, and it was withdrawn at %s", r.at())
		case ok && at < 0:
			c.violated("G10", sku, "order does not sell it, and it was published at %s", r.at())
		case ok:
			p := c.Catalogue[at]
			if p.Name != data.Name || p.Price != (client.Money{Amount: data.Price, Currency: data.Currency}) ||
				p.Version != r.Event.Sequence {
				c.violated("G10", sku, "order has %+v, and the newest that was published is %+v at %s", p, *data,
					r.at())
			}
		}
	}
	for _, p := range c.Catalogue {
		if _, there := newest[p.SKU]; !there {
			c.violated("G10", p.SKU, "order sells it, and nobody has published it")
		}
	}
	for _, p := range c.Products {
		facts := c.facts[stream{"product.events", p.SKU}]
		if len(facts) == 0 {
			c.violated("G1", p.SKU, "inventory has it and has not published it")
			continue
		}
		last := slices.MaxFunc(facts, func(a, b Record) int { return cmp.Compare(a.Event.Sequence, b.Event.Sequence) })
		data, ok := last.Event.Data.(*schemas.ProductUpdated)
		if ok && (data.Name != p.Name || data.Price != p.Price.Amount || data.Currency != p.Price.Currency) {
			c.violated("G1", p.SKU, "inventory has it as %q at %d %s, and published %q at %d %s last", p.Name,
				p.Price.Amount, p.Price.Currency, data.Name, data.Price, data.Currency)
		}
	}
}
