package store

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
)

// ErrNotFound says that there is no such order, or that it had not come as far as was asked for.
var ErrNotFound = eventstore.ErrNotFound

// Until bounds how much of an order's history is folded. The zero value is all of it.
type Until = eventstore.Until

// Order returns an order as it was at a point of its history, or ErrNotFound.
func Order(ctx context.Context, db *sqldb.DB, id string, until Until) (o *order.Order, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		found, err := streams.Read(ctx, tx, id, until)
		if err == nil {
			o = orderOf(found)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read order: %w", err)
	}
	return o, nil
}

// Recorded is an event of an order with its identity, its cause and who made it happen.
type Recorded struct {
	ID, CausationID, CorrelationID string
	Actor                          order.Actor
	Event                          order.Event
}

// Events returns the whole history of an order, or ErrNotFound.
func Events(ctx context.Context, db *sqldb.DB, id string) ([]Recorded, error) {
	var history []eventstore.Record
	err := db.Read(ctx, func(tx *sqldb.Tx) (err error) {
		history, err = streams.History(ctx, tx, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events of order: %w", err)
	}
	recorded, events := make([]Recorded, len(history)), make([]order.Event, len(history))
	for i, h := range history {
		if events[i], err = order.Decode(h.Type, []byte(h.Data)); err != nil {
			return nil, fmt.Errorf("event %d of order %s: %w", h.Version, id, err)
		}
		recorded[i] = Recorded{ID: h.ID, CausationID: h.CausationID, CorrelationID: h.CorrelationID, Event: events[i]}
	}
	for i, actor := range order.Actors(events) {
		recorded[i].Actor = actor
	}
	return recorded, nil
}

// Settled returns those of ids whose orders are no longer pending.
func Settled(ctx context.Context, db *sqldb.DB, ids []string) (settled []string, err error) {
	keys := sqldb.Keys(ids, func(id string) orderKey { return orderKey{id} })
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err := find(ctx, tx)
		if err != nil {
			return err
		}
		settled, err = sqldb.Select[string](ctx, tx.With(keys), `
			SELECT o.order_id FROM `+at.Orders.Active+` o JOIN rows ON rows.order_id = o.order_id
			WHERE o.status <> 'pending'`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for settled orders: %w", err)
	}
	return settled, nil
}

// Products lists up to limit products that can be ordered and whose sku comes after the given one.
func Products(ctx context.Context, db *sqldb.DB, after string, limit int) (products []order.Product, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err := find(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := sqldb.Select[readmodel.ProductRow](ctx, tx, `
			SELECT `+readmodel.ProductColumns+` FROM `+at.Catalogue.Active+` p
			WHERE p.sku > $1 AND NOT p.withdrawn ORDER BY p.sku LIMIT $2`, after, limit)
		for _, row := range rows {
			products = append(products, row.Product())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return products, nil
}

type dueRow struct {
	OrderID       string `db:"order_id"`
	CorrelationID string `db:"correlation_id"`
	Trace         string `db:"trace"`
}

// Due lists the pending orders whose time is over.
func Due(ctx context.Context, db *sqldb.DB, now time.Time, limit int) (due []work.Message[order.Message], err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err := find(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := sqldb.Select[dueRow](ctx, tx, `
			SELECT order_id, correlation_id, trace FROM `+at.Orders.Active+`
			WHERE deadline <= $1 AND `+work.NotAside("'timeout/' || order_id", "$1")+`
			ORDER BY deadline LIMIT (SELECT CAST($2 AS BIGINT))`, now, limit)
		for _, row := range rows {
			m := work.TimerMessage("timeout/"+row.OrderID, row.OrderID, now,
				order.Message(order.TimedOut{OrderID: row.OrderID, At: now}))
			m.Cause = event.Cause{ID: m.Cause.ID, Correlation: row.CorrelationID, Trace: row.Trace}
			due = append(due, m)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders whose time is over: %w", err)
	}
	return due, nil
}
