package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Saver saves.
type Saver struct {
	// SnapshotEvery is how many events an order's stream grows between two snapshots.
	SnapshotEvery int64
}

// Save appends the events and brings the read table along, each row from the version that was loaded to the final one.
// An event whose place in its stream is taken, or a row that is no longer at that version, is a conflict.
func (s Saver) Save(ctx context.Context, tx *sqldb.Tx, b *order.Book, facts []work.Fact[order.Event]) error {
	records, err := recordsOf(facts)
	if err != nil {
		return err
	}
	if err := saveOrders(ctx, tx, b, records, facts); err != nil {
		return fmt.Errorf("save orders: %w", err)
	}
	if err := streams.Append(ctx, tx, records); err != nil {
		return fmt.Errorf("append order events: %w", err)
	}
	if err := s.keepSnapshots(ctx, tx, b); err != nil {
		return fmt.Errorf("keep snapshots of orders: %w", err)
	}
	if err := saveProducts(ctx, tx, b); err != nil {
		return fmt.Errorf("save catalogue: %w", err)
	}
	return nil
}

func recordsOf(facts []work.Fact[order.Event]) ([]eventstore.Record, error) {
	records := make([]eventstore.Record, len(facts))
	for i, f := range facts {
		data, err := order.Encode(f.Event)
		if err != nil {
			return nil, err
		}
		head := f.Event.Header()
		records[i] = eventstore.Record{
			Event: eventstore.Event{
				Stream: head.OrderID, Version: head.Version, Type: f.Event.Type(), Data: string(data), At: head.At,
			},
			ID: f.ID, CausationID: f.Cause.ID, CorrelationID: f.Cause.Correlation,
		}
	}
	return records, nil
}

// saveOrders writes the row of each order that has changed. Records are the facts as they are stored.
func saveOrders(ctx context.Context, tx *sqldb.Tx, b *order.Book, records []eventstore.Record,
	facts []work.Fact[order.Event]) error {
	placedBy := make(map[string]int) // the index of the first event of an order
	for i, r := range records {
		if r.Version == 1 {
			placedBy[r.Stream] = i
		}
	}
	var created []createdRow
	var changed []changedRow
	for _, o := range b.Orders {
		if o.Version == o.Stored {
			continue
		}
		row, err := rowOf(o)
		if err != nil {
			return err
		}
		if o.Stored > 0 {
			changed = append(changed, row)
			continue
		}
		i := placedBy[o.ID]
		created = append(created, createdRow{
			changedRow: row, CustomerID: o.CustomerID, PlacedAt: o.PlacedAt, Placed: records[i].Data,
			CorrelationID: facts[i].Cause.Correlation, Trace: facts[i].Cause.Trace,
		})
	}
	err := work.Write(ctx, tx, created, `
		INSERT INTO orders (order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace,
			placed, progress, progress_version, progress_fold)
		SELECT order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace,
			placed, progress, version, progress_fold
		FROM rows WHERE true ORDER BY order_id`)
	if err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE orders SET status = rows.status, deadline = rows.deadline, version = rows.version,
			progress = rows.progress, progress_version = rows.version, progress_fold = rows.progress_fold
		FROM rows WHERE orders.order_id = rows.order_id AND orders.version = rows.stored`)
}

func (s Saver) keepSnapshots(ctx context.Context, tx *sqldb.Tx, b *order.Book) error {
	var grown []eventstore.Stream[*order.Order]
	for _, o := range b.Orders {
		if o.Version > o.Stored {
			grown = append(grown, eventstore.Stream[*order.Order]{
				ID: o.ID, State: o, Version: o.Version, At: o.UpdatedAt, Snapshot: o.Snapshot,
			})
		}
	}
	return streams.Snapshot(ctx, tx, grown, s.SnapshotEvery)
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
