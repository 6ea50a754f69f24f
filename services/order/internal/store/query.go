package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// ErrNotFound says that there is no such order, or that it was not placed yet at the instant asked for.
var ErrNotFound = errors.New("not found")

// Until bounds how much of an order's history is folded. The zero value is all of it.
type Until struct {
	// Version of the last event, 0 for no bound.
	Version int64
	// At is the last instant, zero for no bound.
	At time.Time
}

// ends reports whether row lies behind the bound.
func (u Until) ends(row eventRow) bool {
	return u.Version > 0 && row.Version > u.Version || !u.At.IsZero() && row.HappenedAt.After(u.At)
}

// Order returns an order as it was at a point of its history, or ErrNotFound.
func Order(ctx context.Context, db *sqldb.DB, id string, until Until) (o *order.Order, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := history(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if until.ends(row) {
				break
			}
			if o == nil {
				o = &order.Order{ID: id}
			}
			if err := apply(o, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read order: %w", err)
	}
	if o == nil || o.Version < until.Version {
		return nil, ErrNotFound
	}
	return o, nil
}

// Recorded is an event of an order with its identity and cause.
type Recorded struct {
	ID, CausationID, CorrelationID string
	Event                          order.Event
}

// Events returns the whole history of an order, or ErrNotFound.
func Events(ctx context.Context, db *sqldb.DB, id string) (events []Recorded, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := history(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, row := range rows {
			e, err := order.Decode(row.Type, []byte(row.Data))
			if err != nil {
				return err
			}
			events = append(events, Recorded{row.EventID, row.CausationID, row.CorrelationID, e})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read events of order: %w", err)
	}
	if len(events) == 0 {
		return nil, ErrNotFound
	}
	return events, nil
}

func history(ctx context.Context, tx *sqldb.Tx, id string) ([]eventRow, error) {
	return sqldb.Select[eventRow](ctx, tx,
		`SELECT `+eventColumns+` FROM order_events e WHERE e.order_id = $1 ORDER BY e.version`, id)
}

// Position of an order in lists, which are newest first.
type Position struct {
	PlacedAt time.Time `json:"placed_at"`
	OrderID  string    `json:"order_id"`
}

// Filter of a list; empty fields match all.
type Filter struct {
	CustomerID string
	Status     order.Status
	// Before is where the page before ended; zero for the first page.
	Before Position
	Limit  int
}

// Orders lists orders, newest first.
func Orders(ctx context.Context, db *sqldb.DB, f Filter) (orders []*order.Order, err error) {
	if f.Before.PlacedAt.IsZero() {
		f.Before.PlacedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		ids, err := sqldb.Select[orderKey](ctx, tx, `
			SELECT o.order_id FROM orders o
			WHERE ($1 = '' OR o.customer_id = $1) AND ($2 = '' OR o.status = $2)
				AND (o.placed_at < $3 OR o.placed_at = $3 AND o.order_id < $4)
			ORDER BY o.placed_at DESC, o.order_id DESC LIMIT $5`,
			f.CustomerID, string(f.Status), f.Before.PlacedAt, f.Before.OrderID, f.Limit)
		if err != nil || len(ids) == 0 {
			return err
		}
		events, err := sqldb.Select[eventRow](ctx, tx.With(ids), `
			SELECT `+eventColumns+` FROM order_events e JOIN rows ON rows.order_id = e.order_id
			ORDER BY e.order_id, e.version`)
		if err != nil {
			return err
		}
		byID := make(map[string]*order.Order, len(ids))
		for _, row := range events {
			if byID[row.OrderID] == nil {
				byID[row.OrderID] = &order.Order{ID: row.OrderID}
			}
			if err := apply(byID[row.OrderID], row); err != nil {
				return err
			}
		}
		for _, id := range ids {
			orders = append(orders, byID[id.OrderID])
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}

// Settled returns those of ids whose orders are no longer pending.
func Settled(ctx context.Context, db *sqldb.DB, ids []string) (settled []string, err error) {
	keys := sqldb.Keys(ids, func(id string) orderKey { return orderKey{id} })
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		settled, err = sqldb.Select[string](ctx, tx.With(keys), `
			SELECT o.order_id FROM orders o JOIN rows ON rows.order_id = o.order_id WHERE o.status <> 'pending'`)
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
		rows, err := sqldb.Select[productRow](ctx, tx, `SELECT `+productColumns+` FROM catalogue p
			WHERE p.sku > $1 AND NOT p.withdrawn ORDER BY p.sku LIMIT $2`, after, limit)
		for _, row := range rows {
			products = append(products, row.product())
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
		rows, err := sqldb.Select[dueRow](ctx, tx, `
			SELECT order_id, correlation_id, trace FROM orders
			WHERE deadline <= $1 ORDER BY deadline LIMIT $2`, now, limit)
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
