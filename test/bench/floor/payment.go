package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	authorize, capture = "authorize", "capture"
	gatewayCalls       = 64
)

// paymentRow is what a confirmed order's payment needs; its other columns stay empty.
type paymentRow struct {
	id, currency, method, intent string
	amount, authorized, captured int64
	placed, reserved, confirmed  bool
	next                         *string
	version, stored, claims      int64
	updated                      time.Time
	correlation, trace           string
}

// entry pair of a ledger.
type booking struct {
	order, account, currency, event string
	version, line, debit, credit    int64
	at                              time.Time
}

// payments is the payment service.
type payments struct {
	service *service
	caller  *caller
	gateway *gateway
}

func newPayments(cfg config) *payments {
	p := &payments{gateway: newGateway(cfg.gateway)}
	p.service = &service{
		name: "payment", topics: []string{"order.events", "inventory.events"}, handle: p.handle,
		types: map[string]bool{"OrderPlaced": true, "OrderConfirmed": true, "StockReserved": true},
	}
	p.caller = &caller{
		service: p.service, table: "payments", limit: gatewayCalls, next: nextPayments, perform: p.gateway.perform,
		woken: make(chan struct{}, 1),
	}
	p.service.committed = p.caller.wake
	return p
}

func (p *payments) handle(ctx context.Context, tx *pgx.Conn, messages []*message, _ time.Time) ([]fact, error) {
	ids := keysOf(messages)
	all, err := loadPayments(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var facts []fact
	var bookings []booking
	for _, m := range messages {
		row := all[m.key]
		if row == nil {
			row = &paymentRow{id: m.key, correlation: m.correlation}
			all[m.key] = row
		}
		row.version, row.updated, row.trace = row.version+1, m.at, m.trace
		f := fact{key: m.key, id: newID(), version: row.version, because: m}
		switch m.kind {
		case "OrderPlaced":
			told := m.placed()
			row.placed, row.amount, row.currency, row.method = true, told.total, told.currency, told.method
		case "StockReserved":
			row.reserved = true
		case "OrderConfirmed":
			row.confirmed = true
		case authorize:
			row.intent, row.authorized, f.kind = m.intent.ID, m.intent.Authorized, "PaymentAuthorized"
		case capture:
			row.captured, f.kind = m.intent.Captured, "PaymentCaptured"
			bookings = append(bookings,
				booking{m.key, "gateway_clearing", row.currency, f.id, row.version, 1, row.captured, 0, m.at},
				booking{m.key, "sales", row.currency, f.id, row.version, 2, 0, row.captured, m.at})
		}
		row.next = nextOf(row)
		if f.kind != "" {
			f.value = paid(m.key, row.amount, row.currency, m.at)
			facts = append(facts, f)
		}
	}
	if err := savePayments(ctx, tx, ids, all); err != nil {
		return nil, err
	}
	return facts, book(ctx, tx, bookings)
}

// nextOf is the call that follows.
func nextOf(row *paymentRow) *string {
	var operation string
	switch {
	case row.confirmed && row.captured == 0:
		operation = capture
	case row.placed && row.reserved && row.authorized == 0:
		operation = authorize
	default:
		return nil
	}
	return &operation
}

func nextPayments(ctx context.Context, tx *pgx.Conn, keys []string) (map[string]call, error) {
	all, err := loadPayments(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	next := make(map[string]call, len(all))
	for key, row := range all {
		if row.next != nil {
			next[key] = call{
				key: key, operation: *row.next, payment: *row, correlation: row.correlation, trace: row.trace,
			}
		}
	}
	return next, nil
}
