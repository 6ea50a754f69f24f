package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
)

// Saver saves.
type Saver struct {
	// SnapshotEvery is how many events an order's stream grows between two snapshots.
	SnapshotEvery int64
}

// errTables says that a book was not read by Load.
var errTables = errors.New("the book does not say where it was read")

// Save appends the events, then brings the read models along, in the table that is served and in the one that is being
// built. An event whose place in its stream is taken is a conflict. In the read models the newer version wins: a row
// that is missing is written anew.
func (s Saver) Save(ctx context.Context, tx *sqldb.Tx, b *order.Book, facts []work.Fact[order.Event]) error {
	at, ok := b.Tables.(tables)
	if !ok {
		return errTables
	}
	records, err := recordsOf(facts)
	if err != nil {
		return err
	}
	if err := streams.Append(ctx, tx, records); err != nil {
		return fmt.Errorf("append order events: %w", err)
	}
	if err := saveOrders(ctx, tx, at.Orders, b, records, facts); err != nil {
		return fmt.Errorf("save orders: %w", err)
	}
	if err := s.keepSnapshots(ctx, tx, b); err != nil {
		return fmt.Errorf("keep snapshots of orders: %w", err)
	}
	if err := saveProducts(ctx, tx, at.Catalogue, b); err != nil {
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
func saveOrders(ctx context.Context, tx *sqldb.Tx, at projection.Tables, b *order.Book, records []eventstore.Record,
	facts []work.Fact[order.Event]) error {
	placedBy := make(map[string]int) // the index of the first event of an order
	for i, r := range records {
		if r.Version == 1 {
			placedBy[r.Stream] = i
		}
	}
	var created []createdRow
	var changed, all []readmodel.OrderRow
	for _, o := range b.Orders {
		if o.Version == o.Stored {
			continue
		}
		row, err := readmodel.RowOf(o)
		if err != nil {
			return err
		}
		all = append(all, row)
		if o.Stored > 0 {
			changed = append(changed, row)
			continue
		}
		i := placedBy[o.ID]
		created = append(created, createdRow{
			OrderRow: row, Placed: records[i].Data,
			CorrelationID: facts[i].Cause.Correlation, Trace: facts[i].Cause.Trace,
		})
	}
	if err := createOrders(ctx, tx, at.Active, created); err != nil {
		return err
	}
	if err := changeOrders(ctx, tx, at.Active, changed); err != nil {
		return err
	}
	if at.Building == "" || len(all) == 0 {
		return nil
	}
	_, err := tx.With(all).Exec(ctx, readmodel.UpsertOrders(at.Building))
	return err
}

func createOrders(ctx context.Context, tx *sqldb.Tx, table string, rows []createdRow) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.With(rows).Exec(ctx, `
		INSERT INTO `+table+` (order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace,
			placed, progress, progress_version, progress_fold, open_since, open_version)
		SELECT order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace,
			placed, progress, version, progress_fold, open_since, version
		FROM rows WHERE true ORDER BY order_id
		ON CONFLICT (order_id) DO NOTHING`)
	return err
}

// changeOrders changes the rows that are there, and writes the others anew, which takes longer.
func changeOrders(ctx context.Context, tx *sqldb.Tx, table string, rows []readmodel.OrderRow) error {
	if len(rows) == 0 {
		return nil
	}
	changed, err := tx.With(rows).Exec(ctx, strings.ReplaceAll(`
		UPDATE {table} SET status = rows.status, deadline = rows.deadline, version = rows.version,
			progress = rows.progress, progress_version = rows.version, progress_fold = rows.progress_fold,
			open_since = rows.open_since, open_version = rows.version
		FROM rows WHERE {table}.order_id = rows.order_id AND {table}.version < rows.version`, "{table}", table))
	if err != nil || changed == int64(len(rows)) {
		return err
	}
	_, err = tx.With(rows).Exec(ctx, readmodel.UpsertOrders(table))
	return err
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
func saveProducts(ctx context.Context, tx *sqldb.Tx, at projection.Tables, b *order.Book) error {
	rows := readmodel.ChangedProducts(b.Catalogue)
	if len(rows) == 0 {
		return nil
	}
	for _, table := range at.Written() {
		if _, err := tx.With(rows).Exec(ctx, readmodel.UpsertProducts(table)); err != nil {
			return err
		}
	}
	return nil
}
