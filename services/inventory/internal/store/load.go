package store

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

type orderKey struct {
	OrderID string `db:"order_id"`
}

type skuKey struct {
	SKU string `db:"sku"`
}

// Load reads what messages need: reservations, then products, those of the reservations' own lines included. Rows are
// locked in the order of their keys, and read by a later statement: one that locks and reads at once can see a row as
// it was before the lock.
func Load(ctx context.Context, tx *sqldb.Tx, messages []stock.Message) (*stock.Stock, error) {
	var orders, skus []string
	for _, m := range messages {
		needs := m.Needs()
		orders = append(orders, needs.Orders...)
		skus = append(skus, needs.SKUs...)
	}
	s := &stock.Stock{Products: make(map[string]*stock.Product), Reservations: make(map[string]*stock.Reservation)}
	if err := loadReservations(ctx, tx, s, orders); err != nil {
		return nil, fmt.Errorf("load reservations: %w", err)
	}
	for _, r := range s.Reservations {
		for _, l := range r.Lines {
			skus = append(skus, l.SKU)
		}
	}
	if err := loadProducts(ctx, tx, s, skus); err != nil {
		return nil, fmt.Errorf("load products: %w", err)
	}
	return s, nil
}

func loadReservations(ctx context.Context, tx *sqldb.Tx, s *stock.Stock, orders []string) error {
	keys := sqldb.Keys(orders, func(id string) orderKey { return orderKey{id} })
	if len(keys) == 0 {
		return nil
	}
	err := tx.With(keys).Lock(ctx, `
		SELECT r.order_id FROM reservations r JOIN rows ON rows.order_id = r.order_id ORDER BY r.order_id`)
	if err != nil {
		return err
	}
	found, err := sqldb.Select[reservationRow](ctx, tx.With(keys), `
		SELECT `+reservationColumns+` FROM reservations r JOIN rows ON rows.order_id = r.order_id`)
	if err != nil {
		return err
	}
	for _, row := range found {
		if s.Reservations[row.OrderID], err = row.reservation(); err != nil {
			return err
		}
	}
	return nil
}

func loadProducts(ctx context.Context, tx *sqldb.Tx, s *stock.Stock, skus []string) error {
	keys := sqldb.Keys(skus, func(sku string) skuKey { return skuKey{sku} })
	if len(keys) == 0 {
		return nil
	}
	if err := tx.With(keys).Lock(ctx, `
		SELECT p.sku FROM products p JOIN rows ON rows.sku = p.sku ORDER BY p.sku`); err != nil {
		return err
	}
	found, err := sqldb.Select[productRow](ctx, tx.With(keys), `
		SELECT `+productColumns+` FROM products p JOIN rows ON rows.sku = p.sku`)
	if err != nil {
		return err
	}
	for _, row := range found {
		s.Products[row.SKU] = row.product()
	}
	return nil
}
