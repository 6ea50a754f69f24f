package sqldb_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// fact is about as wide as a row of an outbox.
type fact struct {
	ID      string    `db:"id" json:"id"`
	Key     string    `db:"key" json:"key"`
	Version int64     `db:"version" json:"version"`
	At      time.Time `db:"at" json:"at"`
	Note    *string   `db:"note" json:"note"`
	Body    []byte    `db:"body" json:"body"`
}

var factsMigration = fstest.MapFS{"00001_facts.sql": {Data: []byte(`-- +goose Up
CREATE TABLE facts (
	id      TEXT PRIMARY KEY,
	key     TEXT NOT NULL,
	version BIGINT NOT NULL,
	at      TIMESTAMPTZ NOT NULL,
	note    TEXT,
	body    BYTEA
);
`)}}

// BenchmarkInsert inserts a batch of 500 rows in one transaction, on databases that keep what they acknowledge.
func BenchmarkInsert(b *testing.B) {
	const batch = 500
	const columns = `INSERT INTO facts (id, key, version, at, note, body) `
	fromRows := func(b *testing.B, tx *sqldb.Tx, facts []fact) error {
		_, err := tx.With(facts).Exec(b.Context(),
			columns+`SELECT id, key, version, at, note, body FROM rows WHERE true ORDER BY id`)
		return err
	}
	loop := func(b *testing.B, tx *sqldb.Tx, facts []fact) error {
		for _, f := range facts {
			_, err := tx.Exec(b.Context(), columns+`VALUES ($1, $2, $3, $4, $5, $6)`,
				f.ID, f.Key, f.Version, f.At, f.Note, f.Body)
			if err != nil {
				return err
			}
		}
		return nil
	}
	recordset := func(b *testing.B, tx *sqldb.Tx, facts []fact) error {
		text, err := json.Marshal(facts)
		if err != nil {
			return err
		}
		_, err = tx.Exec(b.Context(), columns+`SELECT id, key, version, at, note, decode(body, 'base64')
			FROM json_to_recordset($1::json) AS rows(id text, key text, version bigint, at timestamptz, note text, body text)
			ORDER BY id`, string(text))
		return err
	}
	run := func(name string, db *sqldb.DB, insert func(*testing.B, *sqldb.Tx, []fact) error) {
		b.Run(name, func(b *testing.B) {
			facts := make([]fact, batch)
			n := 0
			for b.Loop() {
				for i := range facts {
					n++
					facts[i] = fact{
						ID: fmt.Sprintf("%s-%032d", name, n), Key: fmt.Sprint(n), Version: 1, At: time.Now(),
						Note: &name, Body: make([]byte, 200),
					}
				}
				if err := db.Tx(b.Context(), func(tx *sqldb.Tx) error { return insert(b, tx, facts) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(0, "ns/op")
		})
	}
	for dialect, address := range map[string]string{
		"sqlite": sqltest.SQLiteURL(b), "postgres": sqltest.DurablePostgresURL(b),
	} {
		db := sqltest.Open(b, address)
		if err := sqldb.Migrate(b.Context(), db, factsMigration, "facts"); err != nil {
			b.Fatal(err)
		}
		run(dialect+"/rows", db, fromRows)
		run(dialect+"/loop", db, loop)
		if db.Dialect() == sqldb.Postgres {
			run(dialect+"/json_to_recordset", db, recordset)
		}
	}
}
