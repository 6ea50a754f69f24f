package store

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Load reads what messages need: the orders, folded from their events, and the products. The orders' rows are locked
// first, in the order of their ids; their events are read by a later statement, which sees what the last holder of the
// lock committed.
func Load(ctx context.Context, tx *sqldb.Tx, messages []order.Message) (*order.Book, error) {
	var orders, skus []string
	for _, m := range messages {
		needs := m.Needs()
		orders = append(orders, needs.Orders...)
		skus = append(skus, needs.SKUs...)
	}
	b := &order.Book{Orders: make(map[string]*order.Order), Catalogue: make(map[string]order.Product)}
	if err := loadOrders(ctx, tx, b, sqldb.Keys(orders, func(id string) orderKey { return orderKey{id} })); err != nil {
		return nil, fmt.Errorf("load orders: %w", err)
	}
	if err := loadProducts(ctx, tx, b, sqldb.Keys(skus, func(sku string) skuKey { return skuKey{sku} })); err != nil {
		return nil, fmt.Errorf("load products: %w", err)
	}
	return b, nil
}

func loadOrders(ctx context.Context, tx *sqldb.Tx, b *order.Book, keys []orderKey) error {
	if len(keys) == 0 {
		return nil
	}
	if err := tx.With(keys).Lock(ctx, `
		SELECT o.order_id FROM orders o JOIN rows ON rows.order_id = o.order_id ORDER BY o.order_id`); err != nil {
		return err
	}
	events, err := sqldb.Select[eventRow](ctx, tx.With(keys), `
		SELECT `+eventColumns+` FROM order_events e JOIN rows ON rows.order_id = e.order_id
		ORDER BY e.order_id, e.version`)
	if err != nil {
		return err
	}
	for _, row := range events {
		o := b.Orders[row.OrderID]
		if o == nil {
			o = &order.Order{ID: row.OrderID}
			b.Orders[row.OrderID] = o
		}
		if err := apply(o, row); err != nil {
			return err
		}
	}
	return nil
}

// apply folds a stored event into o.
func apply(o *order.Order, row eventRow) error {
	e, err := order.Decode(row.Type, []byte(row.Data))
	if err != nil {
		return fmt.Errorf("event %d of order %s: %w", row.Version, row.OrderID, err)
	}
	o.Apply(e)
	o.Stored = o.Version
	return nil
}

func loadProducts(ctx context.Context, tx *sqldb.Tx, b *order.Book, keys []skuKey) error {
	if len(keys) == 0 {
		return nil
	}
	found, err := sqldb.Select[productRow](ctx, tx.With(keys), `
		SELECT `+productColumns+` FROM catalogue p JOIN rows ON rows.sku = p.sku`)
	if err != nil {
		return err
	}
	for _, row := range found {
		b.Catalogue[row.SKU] = row.product()
	}
	return nil
}
