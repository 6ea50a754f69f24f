package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// ErrNotFound says that no row has the key.
var ErrNotFound = errors.New("not found")

// Product returns one product, or ErrNotFound.
func Product(ctx context.Context, db *sqldb.DB, sku string) (p *stock.Product, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		row, err := sqldb.Get[productRow](ctx, tx, `SELECT `+productColumns+` FROM products p WHERE p.sku = $1`, sku)
		p = row.product()
		return err
	})
	return p, notFound("product", err)
}

// Products returns up to limit products whose sku comes after the given one, in the order of their skus.
func Products(ctx context.Context, db *sqldb.DB, after string, limit int) (products []*stock.Product, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := sqldb.Select[productRow](ctx, tx,
			`SELECT `+productColumns+` FROM products p WHERE p.sku > $1 ORDER BY p.sku LIMIT $2`, after, limit)
		for _, row := range rows {
			products = append(products, row.product())
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return products, nil
}

// Reservation returns that of one order, or ErrNotFound.
func Reservation(ctx context.Context, db *sqldb.DB, orderID string) (r *stock.Reservation, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		row, err := sqldb.Get[reservationRow](ctx, tx,
			`SELECT `+reservationColumns+` FROM reservations r WHERE r.order_id = $1`, orderID)
		if err != nil {
			return err
		}
		r, err = row.reservation()
		return err
	})
	return r, notFound("reservation", err)
}

func notFound(what string, err error) error {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case err != nil:
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

type republishRow struct {
	SKU       string    `db:"sku"`
	Published int64     `db:"published"`
	DueAt     time.Time `db:"republish_at"`
}

// Due lists the products that are to be published once more.
func Due(ctx context.Context, db *sqldb.DB, now time.Time, limit int) (due []work.Message[stock.Message], err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := sqldb.Select[republishRow](ctx, tx, `
			SELECT sku, published, republish_at FROM products
			WHERE republish_at <= $1
				AND `+work.NotAside("'republish/' || sku || '/' || CAST(published AS TEXT)", "$1")+`
			ORDER BY republish_at LIMIT (SELECT CAST($2 AS BIGINT))`, now, limit)
		for _, row := range rows {
			id := "republish/" + row.SKU + "/" + strconv.FormatInt(row.Published, 10)
			due = append(due, work.TimerMessage(id, row.SKU, now,
				stock.Message(stock.Republish{SKU: row.SKU, Version: row.Published, At: now})))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list products to republish: %w", err)
	}
	return due, nil
}
