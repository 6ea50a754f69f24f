package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// orderTimeout is the service's.
const orderTimeout = 2 * time.Minute

// orders is the order service.
type orders struct{ service *service }

func newOrders() *orders {
	o := &orders{}
	o.service = &service{
		name: "order", topics: []string{"inventory.events", "payment.events", "product.events"}, handle: o.handle,
		types: map[string]bool{
			"StockReserved": true, "StockCommitted": true, "PaymentAuthorized": true, "PaymentCaptured": true,
		},
	}
	return o
}

// stored is an event at its place in a stream.
type stored struct {
	kind, id, text string
	event          orderEvent
	because        *message
}

func (o *orders) handle(ctx context.Context, tx *pgx.Conn, messages []*message, _ time.Time) ([]fact, error) {
	states, prices, err := loadOrders(ctx, tx, messages)
	if err != nil {
		return nil, err
	}
	var events []stored
	var facts []fact
	for _, m := range messages {
		state := states[m.key]
		add := func(kind string, e orderEvent) (stored, error) {
			e.OrderID, e.Version, e.At = m.key, state.version+1, m.at
			text, err := json.Marshal(e)
			s := stored{kind: kind, id: newID(), text: string(text), event: e, because: m}
			state.apply(kind, e)
			events = append(events, s)
			return s, err
		}
		tell := func(s stored, value []byte) {
			facts = append(facts, fact{
				kind: s.kind, key: m.key, id: s.id, version: s.event.Version, value: value, because: m,
			})
		}
		switch m.kind {
		case "":
			state = &orderState{cause: m, isNew: true}
			states[m.key] = state
			e := orderEvent{
				CustomerID: m.purchase.CustomerID, Email: m.purchase.Email, PaymentMethod: m.purchase.PaymentMethod,
				Currency: "EUR",
			}
			for _, l := range m.purchase.Lines {
				price, known := prices[l.SKU]
				if !known {
					return nil, fmt.Errorf("there is no product %s", l.SKU)
				}
				e.Lines = append(e.Lines, line{l.SKU, l.Quantity, price})
				e.Total += price * l.Quantity
			}
			until := m.at.Add(orderTimeout)
			e.Deadline = &until
			s, err := add("OrderPlaced", e)
			if err != nil {
				return nil, err
			}
			state.text = s.text
			tell(s, orderPlaced(m.key, s.event))
		default:
			var told orderEvent
			if m.kind == "PaymentAuthorized" || m.kind == "PaymentCaptured" {
				d := newDecoder(m.value)
				d.text()
				told.Amount, told.Currency = d.long(), d.text()
			}
			if _, err := add(m.kind, told); err != nil {
				return nil, err
			}
			if p := state.progress; p.Confirmed > 0 || p.Reserved == 0 || p.Authorized == 0 {
				continue
			}
			s, err := add("OrderConfirmed", orderEvent{Currency: state.first.Currency, Total: state.first.Total})
			if err != nil {
				return nil, err
			}
			tell(s, orderConfirmed(m.key, s.event))
		}
	}
	return facts, saveOrders(ctx, tx, keysOf(messages), states, events)
}
