package sqldb_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// item is a row of the table items, with every kind of column.
type item struct {
	Key     string  `db:"key"`
	Count   int64   `db:"count"`
	Version int     `db:"version"`
	Note    *string `db:"note"`
}

var itemsMigration = fstest.MapFS{"00001_items.sql": {Data: []byte(`-- +goose Up
CREATE TABLE items (
	seq     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	key     TEXT COLLATE "C" NOT NULL UNIQUE,
	count   BIGINT NOT NULL,
	version BIGINT NOT NULL DEFAULT 1,
	note    TEXT
);
`)}}

// eachItems runs fn on both databases, with an empty table items.
func eachItems(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateItems(t, db)
		fn(t, db)
	})
}

func migrateItems(t testing.TB, db *sqldb.DB) {
	t.Helper()
	if err := sqldb.Migrate(t.Context(), db, itemsMigration, "items"); err != nil {
		t.Fatal(err)
	}
}

func insertItems(ctx context.Context, db *sqldb.DB, items ...item) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.With(items).Exec(ctx, `
			INSERT INTO items (key, count, version, note)
			SELECT key, count, version, note FROM rows WHERE true ORDER BY key`)
		return err
	})
}

// selectItems reads the table in the order of its keys.
func selectItems(t testing.TB, db *sqldb.DB) []item {
	t.Helper()
	var items []item
	err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
		items, err = sqldb.Select[item](t.Context(), tx, `SELECT key, count, version, note FROM items ORDER BY key`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func mustInsert(t testing.TB, db *sqldb.DB, items ...item) {
	t.Helper()
	if err := insertItems(t.Context(), db, items...); err != nil {
		t.Fatal(err)
	}
}

var errOwn = errors.New("an error of the caller's own")
