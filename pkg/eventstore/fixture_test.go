package eventstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123_000, time.UTC)

var tables = fstest.MapFS{"00001_accounts.sql": {Data: []byte(`-- +goose Up
CREATE TABLE account_events (
	account        TEXT        NOT NULL,
	version        BIGINT      NOT NULL,
	type           TEXT        NOT NULL,
	data           TEXT        NOT NULL,
	event_id       TEXT        NOT NULL,
	causation_id   TEXT        NOT NULL,
	correlation_id TEXT        NOT NULL,
	happened_at    TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (account, version)
);
CREATE TABLE account_snapshots (
	account     TEXT COLLATE "C" PRIMARY KEY,
	version     BIGINT      NOT NULL,
	happened_at TIMESTAMPTZ NOT NULL,
	fold        BIGINT      NOT NULL,
	state       TEXT        NOT NULL
);
`)}}

// account is what the events of a test fold into. The order of the events matters to it.
type account struct {
	Balance int64
	Seen    []string
	// Largest is a field that only fold 2 knows.
	Largest int64 `json:",omitempty"`
}

type moved struct{ Amount int64 }

func apply(fold int64) func(*account, eventstore.Event) (*account, error) {
	return func(a *account, e eventstore.Event) (*account, error) {
		var m moved
		if err := json.Unmarshal([]byte(e.Data), &m); err != nil {
			return nil, err
		}
		if a == nil {
			a = &account{}
		}
		a.Balance = 3*a.Balance + m.Amount
		if a.Seen = append(a.Seen, fmt.Sprint(e.Version)); len(a.Seen) > 4 {
			a.Seen = a.Seen[1:]
		}
		if fold > 1 {
			a.Largest = max(a.Largest, m.Amount)
		}
		return a, nil
	}
}

func open(fold int64) *eventstore.Store[*account] {
	return eventstore.New(eventstore.Config[*account]{
		Events: "account_events", Snapshots: "account_snapshots", Key: "account",
		Fold: eventstore.Fold[*account]{
			Number: fold,
			Apply:  apply(fold),
			Encode: func(a *account) ([]byte, error) { return json.Marshal(a) },
			Decode: func(text []byte) (a *account, err error) { return a, json.Unmarshal(text, &a) },
		},
	})
}

func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if err := sqldb.Migrate(t.Context(), db, tables, "accounts"); err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	})
}

type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func transact(ctx context.Context, t tb, db *sqldb.DB, fn func(*sqldb.Tx) error) {
	t.Helper()
	if err := db.Tx(ctx, fn); err != nil {
		t.Fatal(err)
	}
}

// move appends one event for each of amounts, a second apart, to a stream that was loaded.
func move(loaded eventstore.Stream[*account], fold int64, amounts ...int64) (eventstore.Stream[*account], []eventstore.Record) {
	var records []eventstore.Record
	for _, amount := range amounts {
		e := eventstore.Event{
			Stream: loaded.ID, Version: loaded.Version + 1, Type: "Moved", Data: fmt.Sprintf(`{"Amount":%d}`, amount),
			At: noon.Add(time.Duration(loaded.Version) * time.Second),
		}
		loaded.State, _ = apply(fold)(loaded.State, e)
		loaded.Version, loaded.At = e.Version, e.At
		records = append(records, eventstore.Record{
			Event: e, ID: fmt.Sprintf("%s/%d", e.Stream, e.Version), CausationID: "cause", CorrelationID: "correlation",
		})
	}
	return loaded, records
}

// grow loads a stream, appends to it and keeps a snapshot if one is due, as a service does.
func grow(ctx context.Context, t tb, db *sqldb.DB, store *eventstore.Store[*account], fold int64, id string, every int64,
	amounts ...int64) eventstore.Stream[*account] {
	t.Helper()
	var grown eventstore.Stream[*account]
	transact(ctx, t, db, func(tx *sqldb.Tx) error {
		loaded, err := store.Load(ctx, tx, []string{id})
		if err != nil {
			return err
		}
		grown = eventstore.Stream[*account]{ID: id}
		if len(loaded) > 0 {
			grown = loaded[0]
		}
		var records []eventstore.Record
		grown, records = move(grown, fold, amounts...)
		if err := store.Append(ctx, tx, records); err != nil {
			return err
		}
		return store.Snapshot(ctx, tx, []eventstore.Stream[*account]{grown}, every)
	})
	return grown
}

// now loads one stream.
func now(ctx context.Context, t tb, db *sqldb.DB, store *eventstore.Store[*account], id string) eventstore.Stream[*account] {
	t.Helper()
	var found []eventstore.Stream[*account]
	transact(ctx, t, db, func(tx *sqldb.Tx) (err error) {
		found, err = store.Load(ctx, tx, []string{id, id})
		return err
	})
	if len(found) != 1 {
		t.Fatalf("found %d streams, want one", len(found))
	}
	return found[0]
}
