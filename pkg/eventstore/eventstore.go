// Package eventstore keeps event-sourced aggregates in two tables of a service. The events are the truth: each has a
// place in its stream, and the state is their fold. A snapshot only spares work: it is the state of a long stream at
// some version, from which loading goes on; without it the same state is folded from the start.
//
// The tables are the service's own, named in the [Config] and made by its migrations, with these columns:
//
//	CREATE TABLE order_events (
//		order_id       TEXT        NOT NULL, -- the Key
//		version        BIGINT      NOT NULL,
//		type           TEXT        NOT NULL,
//		data           TEXT        NOT NULL,
//		event_id       TEXT        NOT NULL,
//		causation_id   TEXT        NOT NULL,
//		correlation_id TEXT        NOT NULL,
//		happened_at    TIMESTAMPTZ NOT NULL,
//		PRIMARY KEY (order_id, version)
//	);
//	CREATE TABLE order_snapshots (
//		order_id    TEXT COLLATE "C" PRIMARY KEY, -- the Key
//		version     BIGINT      NOT NULL,
//		happened_at TIMESTAMPTZ NOT NULL,
//		fold        BIGINT      NOT NULL,
//		state       TEXT        NOT NULL
//	);
//
// Every method is a part of a transaction of the caller's, and one statement, however many streams it is about.
package eventstore

import (
	"errors"
	"strings"
	"time"
)

var (
	// ErrNotFound says that there is no such stream, or that it had not come as far as was asked for.
	ErrNotFound = errors.New("no such stream, or not at that point")
	// ErrGap says that the events of a stream do not follow each other: one is missing.
	ErrGap = errors.New("an event is missing")
)

// Config names the tables and says what their events fold into.
type Config[A any] struct {
	// Events and Snapshots are tables; Key is the column of both that holds the stream's id. They become part of
	// the SQL text as they are.
	Events, Snapshots, Key string
	Fold                   Fold[A]
}

// Fold makes a state of type A from events.
type Fold[A any] struct {
	// Number of this fold, from 1. It is raised whenever equal events may lead to another A, or A is encoded in
	// another way: a snapshot that another number made is passed over. So the snapshot of an older release beside
	// this one hides nothing that only this one knows of.
	Number int64
	// Apply returns the state after e. The state before the first event is the zero A. State may be changed.
	Apply func(state A, e Event) (A, error)
	// Encode and Decode are a snapshot's text and back, without a loss. It must be valid UTF-8 without NUL.
	Encode func(state A) ([]byte, error)
	Decode func(text []byte) (A, error)
}

// Event at its place in a stream.
type Event struct {
	Stream string `db:"stream"`
	// Version is the place: the first has 1, and there are no gaps.
	Version int64 `db:"version"`
	// Type and Data are the service's own; Type is not empty.
	Type string `db:"type"`
	Data string `db:"data"`
	// At is when it happened, to the microsecond. Within a stream it never decreases.
	At time.Time `db:"happened_at"`
}

// Record is an event with its identity and its cause.
type Record struct {
	Event
	ID            string `db:"event_id"`
	CausationID   string `db:"causation_id"`
	CorrelationID string `db:"correlation_id"`
}

// Stream is what the events of a stream fold into.
type Stream[A any] struct {
	ID    string
	State A
	// Version and At are those of the last event folded.
	Version int64
	At      time.Time
	// Snapshot is the version of the snapshot that the fold began with, 0 if with none.
	Snapshot int64
}

// Store reads and writes streams. It holds no state of its own but its statements.
type Store[A any] struct {
	fold                                           Fold[A]
	load, history, append, snapshot, replay, count string
}

// New returns a Store over the tables of cfg.
func New[A any](cfg Config[A]) *Store[A] {
	named := strings.NewReplacer("{events}", cfg.Events, "{snapshots}", cfg.Snapshots, "{key}", cfg.Key).Replace
	return &Store[A]{
		fold: cfg.Fold,
		load: named(loadText), history: named(historyText), append: named(appendText), snapshot: named(snapshotText),
		replay: named(replayText), count: named(countText),
	}
}
