package store

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
)

// Load reads what messages need: the orders, folded from their events, and the products. First it shares the lock on
// where the read models stand, which then stay where they are until the transaction ends. The orders' rows are locked
// next, in the order of their ids; their events are read by a later statement, which sees what the last holder of the
// lock committed. A row that is missing is not locked: its order's place in the event store is the guard, the lock only
// spares the rerun.
func Load(ctx context.Context, tx *sqldb.Tx, messages []order.Message) (*order.Book, error) {
	var orders, skus []string
	for _, m := range messages {
		needs := m.Needs()
		orders = append(orders, needs.Orders...)
		skus = append(skus, needs.SKUs...)
	}
	at, err := share(ctx, tx)
	if err != nil {
		return nil, err
	}
	b := &order.Book{Orders: make(map[string]*order.Order), Catalogue: make(map[string]order.Product), Tables: at}
	if err := loadOrders(ctx, tx, at, b, orders); err != nil {
		return nil, fmt.Errorf("load orders: %w", err)
	}
	keys := sqldb.Keys(skus, func(sku string) skuKey { return skuKey{sku} })
	if err := loadProducts(ctx, tx, at, b, keys); err != nil {
		return nil, fmt.Errorf("load products: %w", err)
	}
	return b, nil
}

func loadOrders(ctx context.Context, tx *sqldb.Tx, at tables, b *order.Book, ids []string) error {
	found, err := loadStreams(ctx, tx, at, ids)
	if err != nil {
		return err
	}
	for _, s := range found {
		b.Orders[s.ID] = orderOf(s)
	}
	return nil
}

// loadStreams locks the rows of orders, then folds their events.
func loadStreams(ctx context.Context, tx *sqldb.Tx, at tables, ids []string) ([]eventstore.Stream[*order.Order],
	error) {
	keys := sqldb.Keys(ids, func(id string) orderKey { return orderKey{id} })
	if len(keys) == 0 {
		return nil, nil
	}
	err := tx.With(keys).Lock(ctx, `
		SELECT o.order_id FROM `+at.Orders.Active+` o JOIN rows ON rows.order_id = o.order_id ORDER BY o.order_id`)
	if err != nil {
		return nil, err
	}
	return streams.Load(ctx, tx, ids)
}

func loadProducts(ctx context.Context, tx *sqldb.Tx, at tables, b *order.Book, keys []skuKey) error {
	if len(keys) == 0 {
		return nil
	}
	found, err := sqldb.Select[readmodel.ProductRow](ctx, tx.With(keys), `
		SELECT `+readmodel.ProductColumns+` FROM `+at.Catalogue.Active+` p JOIN rows ON rows.sku = p.sku`)
	if err != nil {
		return err
	}
	for _, row := range found {
		b.Catalogue[row.SKU] = row.Product()
	}
	return nil
}
