package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

var (
	lockReservations = rows("order_id text") + `
		SELECT r.order_id FROM reservations r JOIN rows ON rows.order_id = r.order_id ORDER BY r.order_id FOR UPDATE`
	selectReservations = rows("order_id text") + `
		SELECT r.order_id, r.status, r.lines, r.placed, r.confirmed, r.cancelled, r.version, r.updated_at,
			r.version AS stored
		FROM reservations r JOIN rows ON rows.order_id = r.order_id`
	lockProducts = rows("sku text") + `
		SELECT p.sku FROM products p JOIN rows ON rows.sku = p.sku ORDER BY p.sku FOR UPDATE`
	selectProducts = rows("sku text") + `
		SELECT p.sku, p.name, p.price, p.currency, p.available, p.reserved, p.sold, p.version, p.published,
			p.updated_at, p.republish_at, p.version AS stored
		FROM products p JOIN rows ON rows.sku = p.sku`

	reservationRows = rows("order_id text", "status text", "lines text", "placed boolean", "confirmed boolean",
		"cancelled boolean", "version bigint", "updated_at timestamptz", "stored bigint")
	insertReservations = reservationRows + `
		INSERT INTO reservations (order_id, status, lines, placed, confirmed, cancelled, version, updated_at)
		SELECT order_id, status, lines, placed, confirmed, cancelled, version, updated_at FROM rows
		WHERE true ORDER BY order_id`
	updateReservations = reservationRows + `
		UPDATE reservations SET status = rows.status, lines = rows.lines, placed = rows.placed,
			confirmed = rows.confirmed, cancelled = rows.cancelled, version = rows.version, updated_at = rows.updated_at
		FROM rows WHERE reservations.order_id = rows.order_id AND reservations.version = rows.stored`
	updateProducts = rows("sku text", "name text", "price bigint", "currency text", "available bigint",
		"reserved bigint", "sold bigint", "version bigint", "published bigint", "updated_at timestamptz",
		"republish_at timestamptz", "stored bigint") + `
		UPDATE products SET name = rows.name, price = rows.price, currency = rows.currency,
			available = rows.available, reserved = rows.reserved, sold = rows.sold, version = rows.version,
			published = rows.published, updated_at = rows.updated_at, republish_at = rows.republish_at
		FROM rows WHERE products.sku = rows.sku AND products.version = rows.stored`
	insertMovements = rows("order_id text", "sku text", "version bigint", "kind text", "quantity bigint",
		"event_id text", "moved_at timestamptz") + `
		INSERT INTO movements (order_id, sku, version, kind, quantity, event_id, moved_at)
		SELECT order_id, sku, version, kind, quantity, event_id, moved_at FROM rows WHERE true`
)

type reservation struct {
	id, status, text  string
	lines             []line
	confirmed         bool
	version, stored   int64
	updated           time.Time
	placed, cancelled bool
}

type product struct {
	sku, name, currency        string
	price                      int64
	available, reserved, sold  int64
	version, published, stored int64
	updated                    time.Time
	republish                  *time.Time
}

type movement struct {
	order, sku, kind, event string
	version, quantity       int64
	at                      time.Time
}

func newInventory() *service {
	return &service{
		name: "inventory", topics: []string{"order.events"}, handle: handleStock,
		types: map[string]bool{"OrderPlaced": true, "OrderConfirmed": true},
	}
}

func handleStock(ctx context.Context, tx *pgx.Conn, messages []*message, _ time.Time) ([]fact, error) {
	reservations, products, err := loadStock(ctx, tx, messages)
	if err != nil {
		return nil, err
	}
	var facts []fact
	var movements []movement
	for _, m := range messages {
		r := reservations[m.key]
		f := fact{key: m.key, id: newID(), because: m}
		kind := "reserved"
		if m.kind == "OrderPlaced" {
			r.lines, r.placed, f.kind = m.placed().lines, true, "StockReserved"
			for i := range r.lines {
				r.lines[i].UnitPrice = 0 // which is the order's own affair
			}
			text, err := json.Marshal(r.lines)
			if err != nil {
				return nil, err
			}
			r.text = string(text)
		} else {
			kind, r.confirmed, f.kind = "committed", true, "StockCommitted"
		}
		r.version, r.status, r.updated = r.version+1, kind, m.at
		for _, l := range r.lines {
			p := products[l.SKU]
			if p == nil || p.available < l.Quantity {
				return nil, fmt.Errorf("there is not enough of %s", l.SKU)
			}
			if kind == "reserved" {
				p.available, p.reserved = p.available-l.Quantity, p.reserved+l.Quantity
			} else {
				p.reserved, p.sold = p.reserved-l.Quantity, p.sold+l.Quantity
			}
			p.version, p.updated = p.version+1, m.at
			movements = append(movements, movement{m.key, l.SKU, kind, f.id, r.version, l.Quantity, m.at})
		}
		f.version, f.value = r.version, stockChanged(m.key, r.lines, m.at)
		facts = append(facts, f)
	}
	return facts, saveStock(ctx, tx, keysOf(messages), reservations, products, movements)
}
