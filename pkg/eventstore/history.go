package eventstore

import (
	"context"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const historyText = `
	SELECT e.{key} AS stream, e.version, e.type, e.data, e.happened_at, e.event_id, e.causation_id, e.correlation_id
	FROM {events} e WHERE e.{key} = $1 ORDER BY e.version`

// History returns every event of a stream from the first, or [ErrNotFound].
func (s *Store[A]) History(ctx context.Context, tx *sqldb.Tx, stream string) ([]Record, error) {
	events, err := sqldb.Select[Record](ctx, tx, s.history, stream)
	if err == nil && len(events) == 0 {
		err = ErrNotFound
	}
	return events, err
}
