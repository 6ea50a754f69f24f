package checker

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// stock checks G4: no level is ever below zero, and what came in is available, reserved or sold.
func (c *check) stock() {
	reserved, sold := c.held()
	arrived := c.arrived()
	for _, p := range c.Products {
		for name, level := range map[string]int64{"available": p.Available, "reserved": p.Reserved, "sold": p.Sold} {
			if level < 0 {
				c.violated("G4", p.SKU, "%d are %s", level, name)
			}
		}
		if p.Reserved != reserved[p.SKU] {
			c.violated("G4", p.SKU, "%d are reserved, and reservations hold %d", p.Reserved, reserved[p.SKU])
		}
		if p.Sold != sold[p.SKU] {
			c.violated("G4", p.SKU, "%d are sold, and reservations have committed %d", p.Sold, sold[p.SKU])
		}
		total := p.Available + p.Reserved + p.Sold
		if in, known := arrived[p.SKU]; known && (total < in.least || total > in.most) {
			c.violated("G4", p.SKU, "%d available + %d reserved + %d sold are %d, and %s came in", p.Available,
				p.Reserved, p.Sold, total, in)
		}
	}
	c.moved()
	c.lines()
}

// held returns what reservations hold and have committed, by sku.
func (c *check) held() (reserved, sold map[string]int64) {
	reserved, sold = make(map[string]int64), make(map[string]int64)
	for _, r := range c.Reservations {
		for _, l := range r.Lines {
			switch r.Status {
			case "reserved":
				reserved[l.SKU] += l.Quantity
			case "committed":
				sold[l.SKU] += l.Quantity
			}
		}
	}
	return reserved, sold
}

// between bounds a quantity.
type between struct{ least, most int64 }

func (b between) String() string {
	if b.least == b.most {
		return fmt.Sprint(b.least)
	}
	return fmt.Sprintf("between %d and %d", b.least, b.most)
}

// arrived returns how much came in of each sku: exactly, by the movements, or else by what clients sent.
func (c *check) arrived() map[string]between {
	arrived := make(map[string]between)
	if inventory, looked := c.Databases["inventory"]; looked {
		for _, m := range inventory.Movements {
			if m.Kind == "restocked" {
				arrived[m.SKU] = between{arrived[m.SKU].least + m.Quantity, arrived[m.SKU].most + m.Quantity}
			}
		}
		c.restocked(arrived)
		return arrived
	}
	return c.asked()
}

// asked returns how much came in by what clients sent: all that was accepted, and perhaps what was not answered.
func (c *check) asked() map[string]between {
	type request struct {
		sku            string
		quantity       int64
		done, possible bool
	}
	requests := make(map[string]request)
	for n, s := range c.Sent {
		sku, quantity, ok := s.restocks()
		if !ok {
			continue
		}
		name := s.Path + " " + s.Key
		if s.Key == "" {
			name = fmt.Sprint("request ", n)
		}
		r := requests[name]
		requests[name] = request{
			sku, quantity, r.done || s.accepted(), r.possible || s.accepted() || c.mayBeDone(s),
		}
	}
	asked := make(map[string]between)
	for _, r := range requests {
		in, known := asked[r.sku]
		if !known {
			in = between{c.Before[r.sku], c.Before[r.sku]}
		}
		if r.done {
			in.least += r.quantity
		}
		if r.possible {
			in.most += r.quantity
		}
		asked[r.sku] = in
	}
	return asked
}

// restocked holds the movements against what clients sent.
func (c *check) restocked(moved map[string]between) {
	if c.Sent == nil {
		return
	}
	for sku, asked := range c.asked() { // those of which nobody took notes are not judged
		if in := moved[sku].least; in < asked.least || in > asked.most {
			c.violated("G1", sku, "%d came in, and %s were asked for", in, asked)
		}
	}
}

// moved folds the movements: they must lead to the levels, and never below zero.
func (c *check) moved() {
	inventory, looked := c.Databases["inventory"]
	if !looked {
		return
	}
	levels := make(map[string]client.Levels)
	for _, m := range inventory.Movements {
		l := levels[m.SKU]
		switch m.Kind {
		case "restocked":
			l.Available += m.Quantity
		case "reserved":
			l.Available, l.Reserved = l.Available-m.Quantity, l.Reserved+m.Quantity
		case "committed":
			l.Reserved, l.Sold = l.Reserved-m.Quantity, l.Sold+m.Quantity
		case "released":
			l.Reserved, l.Available = l.Reserved-m.Quantity, l.Available+m.Quantity
		case "returned":
			l.Sold, l.Available = l.Sold-m.Quantity, l.Available+m.Quantity
		}
		levels[m.SKU] = l
		if inventory.InOrder && (l.Available < 0 || l.Reserved < 0 || l.Sold < 0) {
			c.violated("G4", m.SKU, "after %d were %s for order %s the levels are %+v", m.Quantity, m.Kind,
				m.OrderID, l)
		}
	}
	for _, p := range c.Products {
		if levels[p.SKU] != p.Levels {
			c.violated("G4", p.SKU, "its movements add up to %+v, its levels are %+v", levels[p.SKU], p.Levels)
		}
	}
}

// lines checks that what is held for an order is what was ordered, and what is published about it what happened.
func (c *check) lines() {
	for _, o := range c.Orders {
		ordered := quantities(o.Lines)
		for _, kind := range []string{"StockReserved", "StockCommitted", "StockReleased"} {
			for _, r := range c.about(events("inventory"), o.ID, kind) {
				lines := linesOf(r)
				nothing := kind == "StockReleased" && !c.told(events("inventory"), o.ID, "StockReserved")
				if nothing && len(lines) > 0 || !nothing && fmt.Sprint(lines) != fmt.Sprint(ordered) {
					c.violated("G4", o.ID, "%s of %v, and ordered were %v", kind, lines, ordered)
				}
			}
		}
		r, known := c.Reservations[o.ID]
		last := c.last(events("inventory"), o.ID)
		status := map[string]string{
			"StockReserved": "reserved", "StockReservationFailed": "failed", "StockCommitted": "committed",
			"StockReleased": "released",
		}[last]
		if known && status != "" && r.Status != status {
			c.violated("G4", o.ID, "its reservation is %s, and the last that was published is %s", r.Status, last)
		}
	}
}

// last is the kind of the last event about a key in a topic, empty if there is none.
func (i *index) last(topic, key string) string {
	facts := i.facts[stream{topic, key}]
	if len(facts) == 0 {
		return ""
	}
	return facts[len(facts)-1].kind()
}

func quantities(lines []client.Line) map[string]int64 {
	sum := make(map[string]int64, len(lines))
	for _, l := range lines {
		sum[l.SKU] += l.Quantity
	}
	return sum
}
