package eventstore

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// loadText reads snapshot and tail of each stream in one statement, and so of one moment. A snapshot comes as a row
// without a type, before its tail. $1 is the fold's number; $2 and $3 bound versions and instants.
const loadText = `
	WITH begun AS (
		SELECT rows.stream, s.version, s.state, s.happened_at FROM rows
		LEFT JOIN {snapshots} s ON s.{key} = rows.stream AND s.fold = $1 AND s.version <= $2 AND s.happened_at <= $3
	)
	SELECT stream, version, '' AS type, state AS data, happened_at FROM begun WHERE version IS NOT NULL
	UNION ALL
	SELECT begun.stream, e.version, e.type, e.data, e.happened_at FROM begun
	JOIN {events} e ON e.{key} = begun.stream AND e.version > coalesce(begun.version, 0)
		AND e.version <= $2 AND e.happened_at <= $3
	ORDER BY stream, version`

// endOfTime is the last instant that both databases keep.
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)

// Until bounds how much of a stream's history is folded. The zero value is all of it.
type Until struct {
	// Version of the last event, 0 for no bound.
	Version int64
	// At is the last instant, zero for no bound. All events of that very instant count.
	At time.Time
}

type streamKey struct {
	Stream string `db:"stream"`
}

// Load returns those of the streams that exist, each once. It sorts the ids in place. It takes no locks: a place in a
// stream is given once, whoever loaded it. A caller that would spare itself the rerun locks a row of its own first.
func (s *Store[A]) Load(ctx context.Context, tx *sqldb.Tx, streams []string) ([]Stream[A], error) {
	return s.read(ctx, tx, streams, Until{})
}

// Read returns a stream as it was at a point of its history, or [ErrNotFound].
func (s *Store[A]) Read(ctx context.Context, tx *sqldb.Tx, stream string, until Until) (Stream[A], error) {
	found, err := s.read(ctx, tx, []string{stream}, until)
	switch {
	case err != nil:
		return Stream[A]{}, err
	case len(found) == 0 || found[0].Version < until.Version:
		return Stream[A]{}, ErrNotFound
	}
	return found[0], nil
}

func (s *Store[A]) read(ctx context.Context, tx *sqldb.Tx, ids []string, until Until) ([]Stream[A], error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if until.Version == 0 {
		until.Version = math.MaxInt64
	}
	if until.At.IsZero() {
		until.At = endOfTime
	}
	keys := sqldb.Keys(ids, func(id string) streamKey { return streamKey{id} })
	rows, err := sqldb.Select[Event](ctx, tx.With(keys), s.load, s.fold.Number, until.Version, until.At)
	if err != nil {
		return nil, err
	}
	return s.foldAll(rows)
}

// foldAll folds rows, which come stream by stream.
func (s *Store[A]) foldAll(rows []Event) ([]Stream[A], error) {
	var streams []Stream[A]
	for _, row := range rows {
		if n := len(streams); n == 0 || streams[n-1].ID != row.Stream {
			streams = append(streams, Stream[A]{ID: row.Stream})
		}
		if err := s.next(&streams[len(streams)-1], row); err != nil {
			return nil, fmt.Errorf("version %d of stream %s: %w", row.Version, row.Stream, err)
		}
	}
	return streams, nil
}

// next folds a row into its stream.
func (s *Store[A]) next(stream *Stream[A], row Event) (err error) {
	switch {
	case row.Type == "":
		stream.State, err = s.fold.Decode([]byte(row.Data))
		stream.Snapshot = row.Version
	case row.Version != stream.Version+1:
		return fmt.Errorf("%w after version %d", ErrGap, stream.Version)
	default:
		stream.State, err = s.fold.Apply(stream.State, row)
	}
	stream.Version, stream.At = row.Version, row.At
	return err
}
