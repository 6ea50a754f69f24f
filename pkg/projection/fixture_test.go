package projection_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// patience bounds every wait. It is no expectation.
const patience = time.Minute

var migrations = fstest.MapFS{"00001_notes.sql": &fstest.MapFile{Data: []byte(`-- +goose Up
CREATE TABLE notes (id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE notes_2 (id TEXT COLLATE "C" PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE projections (model TEXT COLLATE "C" PRIMARY KEY, active BIGINT NOT NULL, building BIGINT NOT NULL);
INSERT INTO projections (model, active, building) VALUES ('notes', 1, 0);
CREATE TABLE rebuilds (
	model      TEXT COLLATE "C" PRIMARY KEY,
	run        TEXT        NOT NULL,
	phase      TEXT        NOT NULL,
	position   TEXT        NOT NULL,
	done       BIGINT      NOT NULL,
	total      BIGINT      NOT NULL,
	operator   TEXT        NOT NULL,
	error      TEXT        NOT NULL,
	started_at TIMESTAMPTZ NOT NULL,
	updated_at TIMESTAMPTZ NOT NULL
);
`)}}

func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := sqldb.Migrate(t.Context(), db, migrations, "notes"); err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	})
}

var notes = projection.Model{Name: "notes", Tables: [2]string{"notes", "notes_2"}, Key: "id"}

type note struct {
	ID      string `db:"id"`
	Version int64  `db:"version"`
}

// source holds so many notes of version 1. Each of its batches is told to next first, whose error is the source's.
type source struct {
	notes int
	next  func(from int) error
}

func (s source) Total(context.Context, *sqldb.DB) (int64, error) { return int64(s.notes), nil }

func (s source) Open(_ context.Context, _ *sqldb.DB, position string) (projection.Cursor[int], error) {
	c := &cursor{source: s}
	if position != "" {
		if _, err := fmt.Sscan(position, &c.at); err != nil {
			return nil, err
		}
	}
	return c, nil
}

type cursor struct {
	source
	at int
}

func (c *cursor) Next(_ context.Context, limit int) (facts []int, position string, err error) {
	if c.next != nil {
		if err := c.next(c.at); err != nil {
			return nil, "", err
		}
	}
	for ; len(facts) < limit && c.at < c.notes; c.at++ {
		facts = append(facts, c.at)
	}
	return facts, fmt.Sprint(c.at), nil
}

func (c *cursor) Close() {}

func project(facts []int) ([]note, error) {
	rows := make([]note, len(facts))
	for i, n := range facts {
		if n < 0 {
			return nil, errors.New("below nothing")
		}
		rows[i] = note{fmt.Sprintf("n-%03d", n), 1}
	}
	return rows, nil
}

func upsert(into string) string {
	return `INSERT INTO ` + into + ` (id, version) SELECT id, version FROM rows WHERE true ORDER BY id
		ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE ` + into + `.version < excluded.version`
}

func rebuilder(db *sqldb.DB, s source) *projection.Rebuilder {
	return projection.NewRebuilder(db, projection.Config{
		Models: []projection.Rebuildable{projection.Of(notes, s, project, upsert)},
		Batch:  10, Logger: slog.New(slog.DiscardHandler),
	})
}

func start(t *testing.T, r *projection.Rebuilder) projection.Status {
	t.Helper()
	s, err := r.Start(t.Context(), "notes", "ada")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await runs r until its rebuild has ended.
func await(t *testing.T, r *projection.Rebuilder) (s projection.Status) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	for !s.Phase.Ended() {
		var err error
		if s, err = r.Status(ctx, "notes"); err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return s
}

// write writes a note as a writer of the service does.
func write(ctx context.Context, db *sqldb.DB, n note) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		at, err := projection.Share(ctx, tx, notes)
		if err != nil {
			return err
		}
		for _, table := range at[0].Written() {
			if _, err := tx.With([]note{n}).Exec(ctx, upsert(table)); err != nil {
				return err
			}
		}
		return nil
	})
}

// served returns the table that is served and what is in it, and the number of rows in the other.
func served(t *testing.T, db *sqldb.DB) (table string, all []note, others int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
		at, err := projection.Find(t.Context(), tx, notes)
		if err != nil {
			return err
		}
		if at[0].Building != "" {
			t.Errorf("%s is being built", at[0].Building)
		}
		table = at[0].Active
		if all, err = sqldb.Select[note](t.Context(), tx, `SELECT id, version FROM `+table+` ORDER BY id`); err != nil {
			return err
		}
		other := map[string]string{"notes": "notes_2", "notes_2": "notes"}[table]
		others, err = sqldb.Get[int64](t.Context(), tx, `SELECT count(*) FROM `+other)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return table, all, others
}

func exec(t *testing.T, db *sqldb.DB, statement string, args ...any) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
