package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

func loadStock(ctx context.Context, tx *pgx.Conn, messages []*message) (map[string]*reservation, map[string]*product,
	error) {
	ids := keysOf(messages)
	if _, err := tx.Exec(ctx, lockReservations, ids); err != nil {
		return nil, nil, err
	}
	found, err := tx.Query(ctx, selectReservations, ids)
	if err != nil {
		return nil, nil, err
	}
	all := make(map[string]*reservation, len(ids))
	var r reservation
	_, err = pgx.ForEachRow(found, []any{
		&r.id, &r.status, &r.text, &r.placed, &r.confirmed, &r.cancelled, &r.version, &r.updated, &r.stored,
	}, func() error {
		kept := r
		all[r.id] = &kept
		return json.Unmarshal([]byte(r.text), &kept.lines)
	})
	if err != nil {
		return nil, nil, err
	}
	var skus []string
	for _, m := range messages {
		if all[m.key] == nil {
			all[m.key] = &reservation{id: m.key}
		}
		lines := all[m.key].lines
		if m.kind == "OrderPlaced" {
			lines = m.placed().lines
		}
		for _, l := range lines {
			skus = append(skus, l.SKU)
		}
	}
	products, err := loadProducts(ctx, tx, sortedOnce(skus))
	return all, products, err
}

func loadProducts(ctx context.Context, tx *pgx.Conn, skus []string) (map[string]*product, error) {
	if _, err := tx.Exec(ctx, lockProducts, skus); err != nil {
		return nil, err
	}
	found, err := tx.Query(ctx, selectProducts, skus)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*product, len(skus))
	var p product
	_, err = pgx.ForEachRow(found, []any{
		&p.sku, &p.name, &p.price, &p.currency, &p.available, &p.reserved, &p.sold, &p.version, &p.published,
		&p.updated, &p.republish, &p.stored,
	}, func() error {
		kept := p
		all[p.sku], p.republish = &kept, nil
		return nil
	})
	return all, err
}

func saveStock(ctx context.Context, tx *pgx.Conn, ids []string, reservations map[string]*reservation,
	products map[string]*product, movements []movement) error {
	var fresh, known []*reservation
	for _, id := range ids {
		if r := reservations[id]; r.stored == 0 {
			fresh = append(fresh, r)
		} else {
			known = append(known, r)
		}
	}
	for text, all := range map[string][]*reservation{insertReservations: fresh, updateReservations: known} {
		if len(all) == 0 {
			continue
		}
		_, err := tx.Exec(ctx, text,
			column(all, func(r *reservation) string { return r.id }),
			column(all, func(r *reservation) string { return r.status }),
			column(all, func(r *reservation) string { return r.text }),
			column(all, func(r *reservation) bool { return r.placed }),
			column(all, func(r *reservation) bool { return r.confirmed }),
			column(all, func(r *reservation) bool { return r.cancelled }),
			column(all, func(r *reservation) int64 { return r.version }),
			column(all, func(r *reservation) time.Time { return r.updated }),
			column(all, func(r *reservation) int64 { return r.stored }))
		if err != nil {
			return err
		}
	}
	if err := saveProducts(ctx, tx, products); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, insertMovements,
		column(movements, func(m movement) string { return m.order }),
		column(movements, func(m movement) string { return m.sku }),
		column(movements, func(m movement) int64 { return m.version }),
		column(movements, func(m movement) string { return m.kind }),
		column(movements, func(m movement) int64 { return m.quantity }),
		column(movements, func(m movement) string { return m.event }),
		column(movements, func(m movement) time.Time { return m.at }))
	return err
}

func saveProducts(ctx context.Context, tx *pgx.Conn, products map[string]*product) error {
	all := make([]*product, 0, len(products))
	for _, p := range products {
		all = append(all, p)
	}
	_, err := tx.Exec(ctx, updateProducts,
		column(all, func(p *product) string { return p.sku }), column(all, func(p *product) string { return p.name }),
		column(all, func(p *product) int64 { return p.price }),
		column(all, func(p *product) string { return p.currency }),
		column(all, func(p *product) int64 { return p.available }),
		column(all, func(p *product) int64 { return p.reserved }),
		column(all, func(p *product) int64 { return p.sold }),
		column(all, func(p *product) int64 { return p.version }),
		column(all, func(p *product) int64 { return p.published }),
		column(all, func(p *product) time.Time { return p.updated }),
		column(all, func(p *product) *time.Time { return p.republish }),
		column(all, func(p *product) int64 { return p.stored }))
	return err
}

// seed puts the products on sale, in inventory and in order's copy of its catalogue.
func seed(ctx context.Context, cfg config) error {
	for service, text := range map[string]string{
		"inventory": `INSERT INTO products (sku, name, price, currency, available, reserved, sold, version, published,
				updated_at)
			SELECT 'bench-' || lpad(n::text, 4, '0'), 'Benchmark', 100, 'EUR', 1000000000, 0, 0, 2, 1, now()
			FROM generate_series(0, $1 - 1) AS n`,
		"order": `INSERT INTO catalogue (sku, name, price, currency, version, withdrawn)
			SELECT 'bench-' || lpad(n::text, 4, '0'), 'Benchmark', 100, 'EUR', 1, false
			FROM generate_series(0, $1 - 1) AS n`,
	} {
		conn, err := pgx.Connect(ctx, cfg.database[service])
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, text, cfg.skus)
		_ = conn.Close(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}
