package work_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// The toy service counts. A tally is a sum that also remembers which of two sides arrived. Its entries
// exist for the one test that reads them.

var toyMigration = fstest.MapFS{"00001_toy.sql": {Data: []byte(`-- +goose Up
CREATE TABLE tallies (
	key     TEXT COLLATE "C" PRIMARY KEY,
	total   BIGINT NOT NULL CHECK (total < 1000),
	sides   BIGINT NOT NULL,
	version BIGINT NOT NULL
);
CREATE TABLE entries (
	key     TEXT COLLATE "C" NOT NULL,
	version BIGINT NOT NULL,
	n       BIGINT NOT NULL,
	PRIMARY KEY (key, version)
);
`)}}

const (
	left  = 1
	right = 2
	both  = left | right
)

var errRejected = errors.New("rejected by the domain")

// tally is the aggregate; Stored is the version that was loaded, 0 if it is new.
type tally struct {
	Key     string `db:"key"`
	Total   int64  `db:"total"`
	Sides   int64  `db:"sides"`
	Version int64  `db:"version"`
	Stored  int64  `db:"stored"`
}

type book map[string]*tally

// happened is the toy's only domain event.
type happened struct {
	Key     string
	What    string
	N       int64
	Version int64
}

// EventType implements [event.Data].
func (happened) EventType() string { return "toy.Happened" }

// input is a message of the toy.
type input interface {
	key() string
	Decide(book) ([]happened, error)
}

// add raises the total.
type add struct {
	to string
	n  int64
}

func (m add) key() string { return m.to }

func (m add) Decide(b book) ([]happened, error) {
	t := b[m.to]
	t.Total += m.n
	return []happened{t.raise("added", m.n)}, nil
}

// reject is refused.
type reject struct{ to string }

func (m reject) key() string                     { return m.to }
func (m reject) Decide(book) ([]happened, error) { return nil, errRejected }

// arrive is one side of a join, whose sides come from different topics.
type arrive struct {
	to   string
	side int64
}

func (m arrive) key() string { return m.to }

func (m arrive) Decide(b book) ([]happened, error) {
	t := b[m.to]
	if t.Sides&m.side != 0 {
		return nil, nil
	}
	t.Sides |= m.side
	events := []happened{t.raise("arrived", 0)}
	if t.Sides == both {
		events = append(events, t.raise("joined", 0))
	}
	return events, nil
}

// spoil changes the state and then fails in one of several ways.
type spoil struct {
	to  string
	how string
}

func (m spoil) key() string { return m.to }

func (m spoil) Decide(b book) ([]happened, error) {
	t := b[m.to]
	t.Total += 100
	if m.how == "panic" {
		panic("the domain has a bug")
	}
	return []happened{t.raise("added", 100), t.raise(m.how, 0)}, nil
}

func (t *tally) raise(what string, n int64) happened {
	t.Version++
	return happened{Key: t.Key, What: what, N: n, Version: t.Version}
}

// toy counts what the unit asks of it, and lets a test step in between load and save.
type toy struct {
	loads  atomic.Int64
	loaded func(ctx context.Context, attempt int64) error
	lock   bool
	// save is the versioned one unless a test is about another.
	save func(ctx context.Context, tx *sqldb.Tx, b book) error
}

func newToy() *toy { return &toy{lock: true, save: saveVersioned} }

func (s *toy) service() work.Service[input, book, happened] {
	return work.Service[input, book, happened]{
		Name: "toy",
		Load: s.load,
		Save: func(ctx context.Context, tx *sqldb.Tx, b book, _ []work.Fact[happened]) error {
			return s.save(ctx, tx, b)
		},
		Publish: func(e happened) (event.Event, bool) {
			if e.What == "unpublishable" {
				panic("publish has a bug")
			}
			return event.Event{Key: e.Key, Sequence: e.Version, Time: time.Unix(0, 0), Data: e}, e.What != "arrived"
		},
		Encode: func(e *event.Event) ([]byte, error) {
			data := e.Data.(happened)
			if data.What == "unencodable" {
				return nil, errors.New("event too large")
			}
			e.Type, e.Topic = "toy."+data.What, "toy.events"
			return json.Marshal(data)
		},
	}
}

type keyRow struct {
	Key string `db:"key"`
}

func (s *toy) load(ctx context.Context, tx *sqldb.Tx, inputs []input) (book, error) {
	attempt := s.loads.Add(1)
	b := make(book)
	for _, in := range inputs {
		b[in.key()] = &tally{Key: in.key()}
		if m, ok := in.(after); ok {
			b[m.other] = &tally{Key: m.other}
		}
	}
	var keys []keyRow
	for _, key := range slices.Sorted(maps.Keys(b)) {
		keys = append(keys, keyRow{key})
	}
	if s.lock {
		err := tx.With(keys).Lock(ctx, `SELECT 1 FROM tallies t JOIN rows ON rows.key = t.key ORDER BY t.key`)
		if err != nil {
			return nil, err
		}
	}
	stored, err := sqldb.Select[tally](ctx, tx.With(keys), `
		SELECT t.key, t.total, t.sides, t.version, t.version AS stored FROM tallies t JOIN rows ON rows.key = t.key`)
	if err != nil {
		return nil, err
	}
	for _, t := range stored {
		b[t.Key] = &t
	}
	if s.loaded != nil {
		return b, s.loaded(ctx, attempt)
	}
	return b, nil
}

// changed splits what has to be written, in the order of the keys.
func changed(b book) (created, updated []tally) {
	for _, key := range slices.Sorted(maps.Keys(b)) {
		switch t := b[key]; t.Stored {
		case t.Version:
		case 0:
			created = append(created, *t)
		default:
			updated = append(updated, *t)
		}
	}
	return created, updated
}

const insertTallies = `INSERT INTO tallies (key, total, sides, version)
	SELECT key, total, sides, version FROM rows WHERE true ORDER BY key`

func saveVersioned(ctx context.Context, tx *sqldb.Tx, b book) error {
	created, updated := changed(b)
	if err := work.Write(ctx, tx, created, insertTallies); err != nil {
		return err
	}
	return work.Write(ctx, tx, updated, `
		UPDATE tallies SET total = rows.total, sides = rows.sides, version = rows.version
		FROM rows WHERE tallies.key = rows.key AND tallies.version = rows.stored`)
}

func migrateToy(t testing.TB, db *sqldb.DB) {
	t.Helper()
	err := errors.Join(
		sqldb.Migrate(t.Context(), db, work.Migrations(), "work"),
		sqldb.Migrate(t.Context(), db, outbox.Migrations(), "outbox"),
		sqldb.Migrate(t.Context(), db, toyMigration, "toy"),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// naively is what a first version of a unit of work does: one transaction, no inbox, the first error ends it.
func naively(ctx context.Context, db *sqldb.DB, s *toy, messages []work.Message[input]) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		inputs := make([]input, len(messages))
		for i, m := range messages {
			inputs[i] = m.Input
		}
		state, err := s.load(ctx, tx, inputs)
		if err != nil {
			return err
		}
		for _, in := range inputs {
			if _, err := in.Decide(state); err != nil {
				return fmt.Errorf("decide: %w", err)
			}
		}
		return s.save(ctx, tx, state)
	})
}
