package projection

import (
	"context"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Streams is a source of event-sourced aggregates, each folded from its first event.
type Streams[A any] struct{ Store *eventstore.Store[A] }

var _ Source[eventstore.Stream[int]] = Streams[int]{}

// Total counts the streams.
func (s Streams[A]) Total(ctx context.Context, db *sqldb.DB) (total int64, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		total, err = s.Store.Count(ctx, tx)
		return err
	})
	return total, err
}

// Open goes on after the stream whose id is the position. A stream that comes into being later is written by its
// writer.
func (s Streams[A]) Open(_ context.Context, db *sqldb.DB, position string) (Cursor[eventstore.Stream[A]], error) {
	return &streams[A]{s.Store, db, position}, nil
}

type streams[A any] struct {
	store *eventstore.Store[A]
	db    *sqldb.DB
	after string
}

// Next reads outside of the transaction that writes: what changes in between is newer, and stays.
func (s *streams[A]) Next(ctx context.Context, limit int) (found []eventstore.Stream[A], position string, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		found, err = s.store.Replay(ctx, tx, s.after, limit)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if len(found) > 0 {
		s.after = found[len(found)-1].ID
	}
	return found, s.after, nil
}

func (s *streams[A]) Close() {}
