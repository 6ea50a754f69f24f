package store

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

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

// listedRow is an order of a list. Progress is nil if it is not that of the row's version, or another fold's.
type listedRow struct {
	OrderID  string       `db:"order_id"`
	Status   order.Status `db:"status"`
	Version  int64        `db:"version"`
	Placed   string       `db:"placed"`
	Progress *string      `db:"progress"`
}

// listedColumns are those of orders o; $1 is the number of our fold.
const listedColumns = `o.order_id, o.status, o.version, o.placed,
	CASE WHEN o.progress_version = o.version AND o.progress_fold = $1 AND o.placed <> '' THEN o.progress END
		AS progress`

func (r listedRow) order() (*order.Order, error) {
	placed, err := order.Decode(order.Placed{}.Type(), []byte(r.Placed))
	if err != nil {
		return nil, err
	}
	o, err := order.Restore(placed, r.Status, r.Version, []byte(*r.Progress))
	if err != nil {
		return nil, err
	}
	o.Stored = r.Version
	return o, nil
}

// Orders lists orders, newest first, from the read table alone. Only those that another release has left behind there
// are folded from their events, all at once.
func Orders(ctx context.Context, db *sqldb.DB, f Filter) (orders []*order.Order, err error) {
	if f.Before.PlacedAt.IsZero() {
		f.Before.PlacedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err := find(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := sqldb.Select[listedRow](ctx, tx, `
			SELECT `+listedColumns+` FROM `+at.Orders.Active+` o
			WHERE ($2 = '' OR o.customer_id = $2) AND ($3 = '' OR o.status = $3)
				AND (o.placed_at < $4 OR o.placed_at = $4 AND o.order_id < $5)
			ORDER BY o.placed_at DESC, o.order_id DESC LIMIT $6`,
			order.Fold, f.CustomerID, string(f.Status), f.Before.PlacedAt, f.Before.OrderID, f.Limit)
		if err != nil {
			return err
		}
		orders, err = restore(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}

// restore returns the orders of rows, in their order.
func restore(ctx context.Context, tx *sqldb.Tx, rows []listedRow) ([]*order.Order, error) {
	behind, err := foldBehind(ctx, tx, rows)
	if err != nil {
		return nil, err
	}
	var orders []*order.Order
	for _, row := range rows {
		o := behind[row.OrderID]
		if row.Progress != nil {
			if o, err = row.order(); err != nil {
				return nil, fmt.Errorf("order %s: %w", row.OrderID, err)
			}
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// foldBehind returns the orders of rows without progress.
func foldBehind(ctx context.Context, tx *sqldb.Tx, rows []listedRow) (map[string]*order.Order, error) {
	var ids []string
	for _, row := range rows {
		if row.Progress == nil {
			ids = append(ids, row.OrderID)
		}
	}
	found, err := streams.Load(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	orders := make(map[string]*order.Order, len(found))
	for _, s := range found {
		orders[s.ID] = orderOf(s)
	}
	return orders, nil
}
