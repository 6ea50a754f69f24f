package eventstore

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// replayText reads every event of the next streams. $1 is the stream before them.
const replayText = `
	SELECT e.{key} AS stream, e.version, e.type, e.data, e.happened_at FROM {events} e
	WHERE e.{key} IN (SELECT n.{key} FROM {events} n WHERE n.version = 1 AND n.{key} > $1 ORDER BY n.{key} LIMIT $2)
	ORDER BY e.{key}, e.version`

const countText = `SELECT count(*) FROM {events} e WHERE e.version = 1`

// Replay returns up to limit streams whose ids come after the given one, empty for the first, in the order of their
// ids, each folded from its first event: a snapshot is not believed. It is for whoever makes anew what was made of
// events. Without streams it returns nil.
func (s *Store[A]) Replay(ctx context.Context, tx *sqldb.Tx, after string, limit int) ([]Stream[A], error) {
	rows, err := sqldb.Select[Event](ctx, tx, s.replay, after, limit)
	if err != nil {
		return nil, fmt.Errorf("replay streams: %w", err)
	}
	return s.foldAll(rows)
}

// Count returns the number of streams. It reads all of them.
func (s *Store[A]) Count(ctx context.Context, tx *sqldb.Tx) (int64, error) {
	return sqldb.Get[int64](ctx, tx, s.count)
}
