package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Save appends the events and brings the read table along, each row from the version that was loaded to the final one.
// An event whose place in its stream is taken, or a row that is no longer at that version, is a conflict.
func Save(ctx context.Context, tx *sqldb.Tx, b *order.Book, facts []work.Fact[order.Event]) error {
	if err := saveOrders(ctx, tx, b, facts); err != nil {
		return fmt.Errorf("save orders: %w", err)
	}
	if err := appendEvents(ctx, tx, facts); err != nil {
		return fmt.Errorf("append order events: %w", err)
	}
	if err := saveProducts(ctx, tx, b); err != nil {
		return fmt.Errorf("save catalogue: %w", err)
	}
	return nil
}

func saveOrders(ctx context.Context, tx *sqldb.Tx, b *order.Book, facts []work.Fact[order.Event]) error {
	var created, changed []orderRow
	placedBy := make(map[string]work.Fact[order.Event])
	for _, f := range facts {
		if head := f.Event.Header(); head.Version == 1 {
			placedBy[head.OrderID] = f
		}
	}
	for _, o := range b.Orders {
		row := rowOf(o)
		switch {
		case o.Version == o.Stored:
		case o.Stored == 0:
			row.CorrelationID, row.Trace = placedBy[o.ID].Cause.Correlation, placedBy[o.ID].Cause.Trace
			created = append(created, row)
		default:
			changed = append(changed, row)
		}
	}
	err := work.Write(ctx, tx, created, `
		INSERT INTO orders (order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace)
		SELECT order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace
		FROM rows WHERE true ORDER BY order_id`)
	if err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE orders SET status = rows.status, deadline = rows.deadline, version = rows.version
		FROM rows WHERE orders.order_id = rows.order_id AND orders.version = rows.stored`)
}

func appendEvents(ctx context.Context, tx *sqldb.Tx, facts []work.Fact[order.Event]) error {
	rows := make([]eventRow, len(facts))
	for i, f := range facts {
		data, err := order.Encode(f.Event)
		if err != nil {
			return err
		}
		head := f.Event.Header()
		rows[i] = eventRow{
			OrderID: head.OrderID, Version: head.Version, Type: f.Event.Type(), Data: string(data), EventID: f.ID,
			CausationID: f.Cause.ID, CorrelationID: f.Cause.Correlation, HappenedAt: head.At,
		}
	}
	return work.Write(ctx, tx, rows, `
		INSERT INTO order_events (order_id, version, type, data, event_id, causation_id, correlation_id, happened_at)
		SELECT order_id, version, type, data, event_id, causation_id, correlation_id, happened_at
		FROM rows WHERE true`)
}

// saveProducts lets the newer version win, so it does not count its rows.
func saveProducts(ctx context.Context, tx *sqldb.Tx, b *order.Book) error {
	var rows []productRow
	for _, p := range b.Catalogue {
		if p.Changed {
			rows = append(rows, productRow{
				SKU: p.SKU, Name: p.Name, Price: p.Price, Currency: p.Currency,
				Version: p.Version, Withdrawn: p.Withdrawn,
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b productRow) int { return strings.Compare(a.SKU, b.SKU) })
	_, err := tx.With(rows).Exec(ctx, `
		INSERT INTO catalogue (sku, name, price, currency, version, withdrawn)
		SELECT sku, name, price, currency, version, withdrawn FROM rows WHERE true ORDER BY sku
		ON CONFLICT (sku) DO UPDATE SET name = excluded.name, price = excluded.price, currency = excluded.currency,
			version = excluded.version, withdrawn = excluded.withdrawn
		WHERE catalogue.version < excluded.version`)
	return err
}
