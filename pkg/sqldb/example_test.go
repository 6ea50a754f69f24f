package sqldb_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// A batch of changes is one statement, whatever its size, and the same text on both databases.
func Example() {
	if err := transfer(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// changed 2 of 3
	// [{apple 7} {pear 5}]
}

func transfer(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "stock")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sqldb.Open(ctx, "sqlite://"+filepath.Join(dir, "stock.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	migrations := fstest.MapFS{"00001_stock.sql": {Data: []byte(`-- +goose Up
		CREATE TABLE stock (sku TEXT COLLATE "C" PRIMARY KEY, quantity BIGINT NOT NULL);
		INSERT INTO stock VALUES ('apple', 10), ('pear', 10);`)}}
	if err := sqldb.Migrate(ctx, db, migrations, "stock"); err != nil {
		return err
	}

	type line struct {
		SKU      string `db:"sku"`
		Quantity int64  `db:"quantity"`
	}
	sold := []line{{"apple", 3}, {"pear", 5}, {"quince", 1}}
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		err := tx.With(sold).Lock(ctx, `SELECT 1 FROM stock JOIN rows ON rows.sku = stock.sku ORDER BY stock.sku`)
		if err != nil {
			return err
		}
		changed, err := tx.With(sold).Exec(ctx, `
			UPDATE stock SET quantity = stock.quantity - rows.quantity FROM rows
			WHERE stock.sku = rows.sku AND stock.quantity >= rows.quantity`)
		if err != nil {
			return err
		}
		fmt.Println("changed", changed, "of", len(sold))
		left, err := sqldb.Select[line](ctx, tx, `SELECT sku, quantity FROM stock ORDER BY sku`)
		fmt.Println(left)
		return err
	})
}
