package readmodel

import (
	"fmt"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// OrderRow is the part of an order's row that changes, and what does not change of it but follows from the order.
type OrderRow struct {
	OrderID    string       `db:"order_id"`
	CustomerID string       `db:"customer_id"`
	PlacedAt   time.Time    `db:"placed_at"`
	Status     order.Status `db:"status"`
	// Deadline is null unless the order is pending, OpenSince once its saga has ended.
	Deadline  *time.Time `db:"deadline"`
	OpenSince *time.Time `db:"open_since"`
	Version   int64      `db:"version"`
	Progress  string     `db:"progress"`
	Fold      int64      `db:"progress_fold"`
}

// RowOf returns the row of an order.
func RowOf(o *order.Order) (OrderRow, error) {
	progress, err := order.EncodeProgress(o)
	if err != nil {
		return OrderRow{}, err
	}
	row := OrderRow{
		OrderID: o.ID, CustomerID: o.CustomerID, PlacedAt: o.PlacedAt, Status: o.Status, Version: o.Version,
		Progress: string(progress), Fold: order.Fold,
	}
	if o.Status == order.StatusPending {
		row.Deadline = &o.Deadline
	}
	if since := o.OpenSince(); !since.IsZero() {
		row.OpenSince = &since
	}
	return row, nil
}

// ProjectOrders makes the row of each stream.
func ProjectOrders(streams []eventstore.Stream[*order.Order]) ([]OrderRow, error) {
	rows := make([]OrderRow, len(streams))
	for i, s := range streams {
		var err error
		if rows[i], err = RowOf(s.State); err != nil {
			return nil, fmt.Errorf("order %s: %w", s.ID, err)
		}
	}
	return rows, nil
}

// UpsertOrders writes whole rows of orders whose first event is stored, each unless a newer one stands in the table.
// What no fold tells is that event as it was stored and its correlation. The trace is in no event: it is taken over
// from the other table or stays as it is, and an order without one lets its timer begin a trace of its own.
func UpsertOrders(into string) string {
	other := Orders.Tables[0]
	if into == other {
		other = Orders.Tables[1]
	}
	return strings.NewReplacer("{into}", into, "{other}", other).Replace(`
		INSERT INTO {into} (order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace,
			placed, progress, progress_version, progress_fold, open_since, open_version)
		SELECT rows.order_id, rows.customer_id, rows.status, rows.placed_at, rows.deadline, rows.version,
			e.correlation_id, COALESCE(o.trace, ''), e.data, rows.progress, rows.version, rows.progress_fold,
			rows.open_since, rows.version
		FROM rows JOIN order_events e ON e.order_id = rows.order_id AND e.version = 1
		LEFT JOIN {other} o ON o.order_id = rows.order_id
		WHERE true ORDER BY rows.order_id
		ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, deadline = excluded.deadline,
			version = excluded.version, progress = excluded.progress, progress_version = excluded.progress_version,
			progress_fold = excluded.progress_fold, open_since = excluded.open_since,
			open_version = excluded.open_version
		WHERE {into}.version < excluded.version`)
}
