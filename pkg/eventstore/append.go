package eventstore

import (
	"context"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const appendText = `
	INSERT INTO {events} ({key}, version, type, data, event_id, causation_id, correlation_id, happened_at)
	SELECT stream, version, type, data, event_id, causation_id, correlation_id, happened_at
	FROM rows WHERE true ORDER BY stream, version`

// Append adds events at their places. A place that is taken is a duplicate key ([sqldb.IsDuplicate]), which a unit of
// work takes for a conflict: another transaction was there first, and the batch is loaded and decided again.
func (s *Store[A]) Append(ctx context.Context, tx *sqldb.Tx, events []Record) error {
	if len(events) == 0 {
		return nil
	}
	_, err := tx.With(events).Exec(ctx, s.append)
	return err
}
