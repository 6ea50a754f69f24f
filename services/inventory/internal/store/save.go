package store

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// Save writes what changed, each row from the version that was loaded to the final one, and the movements that the
// facts tell of. A row that another transaction changed first is a conflict.
func Save(ctx context.Context, tx *sqldb.Tx, s *stock.Stock, facts []work.Fact[stock.Event]) error {
	if err := saveReservations(ctx, tx, s); err != nil {
		return fmt.Errorf("save reservations: %w", err)
	}
	if err := saveProducts(ctx, tx, s); err != nil {
		return fmt.Errorf("save products: %w", err)
	}
	if err := saveMovements(ctx, tx, facts); err != nil {
		return fmt.Errorf("save movements: %w", err)
	}
	return nil
}

func saveReservations(ctx context.Context, tx *sqldb.Tx, s *stock.Stock) error {
	var created, changed []reservationRow
	for _, r := range s.Reservations {
		if r.Version == r.Stored {
			continue
		}
		row, err := rowOfReservation(r)
		if err != nil {
			return err
		}
		if r.Stored == 0 {
			created = append(created, row)
		} else {
			changed = append(changed, row)
		}
	}
	err := work.Write(ctx, tx, created, `
		INSERT INTO reservations (order_id, status, lines, placed, confirmed, cancelled, version, updated_at)
		SELECT order_id, status, lines, placed, confirmed, cancelled, version, updated_at
		FROM rows WHERE true ORDER BY order_id`)
	if err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE reservations SET status = rows.status, lines = rows.lines, placed = rows.placed,
			confirmed = rows.confirmed, cancelled = rows.cancelled, version = rows.version, updated_at = rows.updated_at
		FROM rows WHERE reservations.order_id = rows.order_id AND reservations.version = rows.stored`)
}

func saveProducts(ctx context.Context, tx *sqldb.Tx, s *stock.Stock) error {
	var created, changed []productRow
	for _, p := range s.Products {
		switch {
		case p.Version == p.Stored:
		case p.Stored == 0:
			created = append(created, rowOfProduct(p))
		default:
			changed = append(changed, rowOfProduct(p))
		}
	}
	err := work.Write(ctx, tx, created, `
		INSERT INTO products (sku, name, price, currency, available, reserved, sold, version, published, updated_at,
			republish_at)
		SELECT sku, name, price, currency, available, reserved, sold, version, published, updated_at, republish_at
		FROM rows WHERE true ORDER BY sku`)
	if err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE products SET name = rows.name, price = rows.price, currency = rows.currency,
			available = rows.available, reserved = rows.reserved, sold = rows.sold, version = rows.version,
			published = rows.published, updated_at = rows.updated_at, republish_at = rows.republish_at
		FROM rows WHERE products.sku = rows.sku AND products.version = rows.stored`)
}

type movementRow struct {
	OrderID  string     `db:"order_id"`
	SKU      string     `db:"sku"`
	Version  int64      `db:"version"`
	Kind     stock.Kind `db:"kind"`
	Quantity int64      `db:"quantity"`
	EventID  string     `db:"event_id"`
	MovedAt  time.Time  `db:"moved_at"`
}

func saveMovements(ctx context.Context, tx *sqldb.Tx, facts []work.Fact[stock.Event]) error {
	var rows []movementRow
	for _, f := range facts {
		for _, m := range stock.Movements(f.Event) {
			rows = append(rows, movementRow{
				OrderID: m.OrderID, SKU: m.SKU, Version: m.Version, Kind: m.Kind, Quantity: m.Quantity,
				EventID: f.ID, MovedAt: m.At,
			})
		}
	}
	return work.Write(ctx, tx, rows, `
		INSERT INTO movements (order_id, sku, version, kind, quantity, event_id, moved_at)
		SELECT order_id, sku, version, kind, quantity, event_id, moved_at FROM rows WHERE true`)
}
