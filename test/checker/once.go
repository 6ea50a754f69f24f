package checker

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// maxFacts is more than any message leads to: events are numbered below it.
const maxFacts = 16

// once checks G2: an event has one content, and changes a service's state, causes events, moves stock and money, once.
func (c *check) once() {
	c.oneContent()
	c.oneEffect()
	c.onceRecorded()
	c.onceMoved()
	c.onceBooked()
	c.onceCalled()
	c.onceMailed()
	c.drained()
}

// oneContent checks that what the services published can be read, that every copy of an event says the same, and that
// its id follows from its cause.
func (c *check) oneContent() {
	for _, r := range c.Log {
		if c.isInjected(r) {
			continue
		}
		if r.Fault != nil {
			c.violated("G8", string(r.Key), "what a service published at %s cannot be read: %v", r.at(), r.Fault)
		}
		if r.Fault != nil || r.Event.ID == "" {
			continue
		}
		first := c.byID[r.Event.ID]
		if first.Topic != r.Topic || !bytes.Equal(first.Key, r.Key) || !bytes.Equal(first.Value, r.Value) ||
			!sameHeaders(first.Headers, r.Headers) {
			c.violated("G2", string(r.Key), "%s (%s) at %s says something else at %s", r.kind(), r.Event.ID, first.at(),
				r.at())
		}
	}
	for _, r := range c.byID {
		source := strings.TrimPrefix(r.Event.Source, "/quadrille/")
		derived := false
		for n := range maxFacts {
			derived = derived || r.Event.ID == event.Derive(source, r.Event.Cause.ID, n)
		}
		if !derived {
			c.violated("G2", string(r.Key), "the id of %s at %s does not follow from its cause %s", r.kind(), r.at(),
				r.Event.Cause.ID)
		}
	}
}

// sameHeaders passes over the span: each try to send an event has its own, in the same trace.
func sameHeaders(a, b []event.Header) bool {
	return slices.EqualFunc(a, b, func(x, y event.Header) bool {
		if x.Key == "traceparent" && y.Key == x.Key && telemetry.SameTrace(string(x.Value), string(y.Value)) {
			return true
		}
		return x.Key == y.Key && bytes.Equal(x.Value, y.Value)
	})
}

// oneEffect checks that no event has happened twice under two ids: by one cause, or in the life of one order.
func (c *check) oneEffect() {
	byCause := make(map[string]Record)
	inLife := make(map[string]Record)
	for key, facts := range c.facts {
		for _, r := range facts {
			cause := fmt.Sprint(r.Event.Source, r.Event.Cause.ID, r.Event.Type, key.key, mailKind(r))
			if earlier, twice := byCause[cause]; twice {
				c.violated("G2", key.key, "%s led to %s twice, at %s and at %s", r.Event.Cause.ID, r.kind(),
					earlier.at(), r.at())
			}
			byCause[cause] = r
			if c.unlogged[key.topic] {
				continue // a product is published at each change
			}
			life := fmt.Sprint(key, r.Event.Type, mailKind(r))
			if earlier, twice := inLife[life]; twice {
				c.violated("G2", key.key, "%s happened twice, at %s and at %s", r.kind(), earlier.at(), r.at())
			}
			inLife[life] = r
		}
	}
}

// onceRecorded checks the answers of the other services in the histories of orders: each that is on Kafka is there,
// once, under its own id as the cause.
func (c *check) onceRecorded() {
	for id, history := range c.Histories {
		recorded := make(map[string]string) // causes by type
		ids := make(map[string]bool)
		for n, e := range history {
			if e.Version != int64(n+1) {
				c.violated("G2", id, "event %d of its history has version %d", n+1, e.Version)
			}
			if ids[e.ID] {
				c.violated("G2", id, "its history has the event %s twice", e.ID)
			}
			ids[e.ID] = true
			if e.Published {
				continue
			}
			if _, twice := recorded[e.Type]; twice {
				c.violated("G2", id, "its history has %s twice", e.Type)
			}
			recorded[e.Type] = e.CausationID
			if r, there := c.byID[e.CausationID]; !there || r.kind() != e.Type || string(r.Key) != id {
				c.violated("G2", id, "its history has %s, whose cause %s is no such event on Kafka", e.Type,
					e.CausationID)
			}
		}
		if c.open[id] {
			continue
		}
		for _, topic := range []string{events("inventory"), events("payment")} {
			for _, r := range c.facts[stream{topic, id}] {
				if c.wanted["order"][r.Event.Type] && recorded[r.kind()] != r.Event.ID {
					c.violated("G2", id, "%s (%s) at %s is not in its history", r.kind(), r.Event.ID, r.at())
				}
			}
		}
	}
}

// onceMoved checks that each event that moves stock has moved it once, and nothing else has.
func (c *check) onceMoved() {
	inventory, looked := c.Databases["inventory"]
	if !looked {
		return
	}
	kinds := map[string]string{
		"reserved": "StockReserved", "committed": "StockCommitted", "released": "StockReleased",
		"returned": "StockReleased",
	}
	moved := make(map[string]int64) // by event and sku
	life := make(map[string]bool)
	for _, m := range inventory.Movements {
		if m.OrderID == "" {
			continue
		}
		if name := fmt.Sprint(m.OrderID, m.SKU, m.Kind); life[name] {
			c.violated("G2", m.OrderID, "%s was %s twice", m.SKU, m.Kind)
		} else {
			life[name] = true
		}
		moved[m.EventID+m.SKU] += m.Quantity
		if r, there := c.byID[m.EventID]; !there || r.kind() != kinds[m.Kind] || string(r.Key) != m.OrderID {
			c.violated("G2", m.OrderID, "%d %s were %s by the event %s, which is not on Kafka", m.Quantity, m.SKU,
				m.Kind, m.EventID)
		}
	}
	for key, facts := range c.facts {
		if key.topic != events("inventory") {
			continue
		}
		for _, r := range facts {
			for sku, quantity := range linesOf(r) {
				if got := moved[r.Event.ID+sku]; got != quantity {
					c.violated("G2", key.key, "%s of %d %s at %s moved %d", r.kind(), quantity, sku, r.at(), got)
				}
			}
		}
	}
}

// onceBooked checks that each event that moves money was booked once, and nothing else was.
func (c *check) onceBooked() {
	if c.Ledger == nil && c.Payments == nil {
		return
	}
	booked := make(map[string]int)
	for _, l := range c.Ledger {
		booked[l.EventID]++
		r, there := c.byID[l.EventID]
		amount := moneyOf(r)
		if noted(r) {
			amount = l.Debit + l.Credit
		}
		if !there || string(r.Key) != l.OrderID || r.Event.Sequence != l.Version || amount != l.Debit+l.Credit {
			c.violated("G2", l.OrderID, "the entry of %d on %s belongs to the event %s, which is not on Kafka",
				l.Debit+l.Credit, l.Account, l.EventID)
		}
	}
	for key, facts := range c.facts {
		if key.topic != events("payment") {
			continue
		}
		for _, r := range facts {
			if (moneyOf(r) > 0 || noted(r)) && booked[r.Event.ID] != 2 {
				c.violated("G2", key.key, "%s of %d has %d lines in the ledger, not 2", r.kind(), moneyOf(r),
					booked[r.Event.ID])
			}
		}
	}
}

// onceCalled checks that the gateway did nothing twice, and that a call has one idempotency key however often it is
// made: the gateway notes what it refuses too.
func (c *check) onceCalled() {
	done := make(map[gatewayCall]int)
	keys := make(map[gatewayCall]string)
	for _, o := range c.Operations {
		if o.Operation == "open" {
			continue
		}
		name := gatewayCall{o.After.Reference, o.Operation}
		if key, again := keys[name]; again && key != o.Key {
			c.violated("G2", name.orderID, "the gateway was asked to %s under the keys %q and %q", o.Operation, key,
				o.Key)
		}
		keys[name] = o.Key
		if o.Code != "" {
			continue
		}
		if done[name]++; done[name] == 2 && o.Operation != "cancel" {
			c.violated("G2", name.orderID, "the gateway did %s twice", o.Operation)
		}
	}
}

// onceMailed checks that there is one mail of a kind, which repeats at most to the letter and only if an answer may
// have been lost, and that what was told is what was mailed.
func (c *check) onceMailed() {
	if c.Notifications == nil {
		return
	}
	first := make(map[string]client.Mail)
	for _, m := range c.Mails {
		earlier, again := first[m.MessageID]
		switch {
		case !again:
			first[m.MessageID] = m
		case !c.Lost:
			c.violated("G2", m.OrderID, "the mail %s went out twice", m.MessageID)
		case earlier.Subject != m.Subject || !earlier.Date.Equal(m.Date) || !slices.Equal(earlier.To, m.To):
			c.violated("G2", m.OrderID, "the mail %s went out again and was another", m.MessageID)
		}
	}
	noted := make(map[string]bool)
	for _, n := range c.Notifications {
		noted[n.MessageID] = true
		_, arrived := first[n.MessageID]
		told := 0
		for _, r := range c.about(events("notification"), n.OrderID, "NotificationSent") {
			if mailKind(r) == n.Kind {
				told++
			}
		}
		if sent := n.Status == "sent"; sent && !arrived && c.Mails != nil {
			c.violated("G2", n.OrderID, "the %s was sent as %s and has not arrived", n.Kind, n.MessageID)
		} else if sent != (told == 1) {
			c.violated("G2", n.OrderID, "the %s is %s, and NotificationSent is %d times on Kafka", n.Kind, n.Status,
				told)
		}
	}
	for id, m := range first {
		if !noted[id] {
			c.violated("G2", m.OrderID, "the mail %s has arrived, and notification knows of none", id)
		}
	}
}

// drained checks that nothing waits to be published.
func (c *check) drained() {
	for name, database := range c.Databases {
		if database.Outbox > 0 {
			c.violated("G1", "", "%d rows wait in the outbox of %s", database.Outbox, name)
		}
	}
}
