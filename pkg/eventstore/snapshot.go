package eventstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// DefaultEvery is how many events a stream grows between two snapshots unless a service knows better. It is the
// shortest length measured at which one later load saves what writing the snapshot costs, on both databases, one stream
// or a hundred in a transaction: see BenchmarkSnapshots and docs/benchmarks.md.
const DefaultEvery = 100

const snapshotText = `
	INSERT INTO {snapshots} ({key}, version, happened_at, fold, state)
	SELECT stream, version, happened_at, fold, state FROM rows WHERE true ORDER BY stream
	ON CONFLICT ({key}) DO UPDATE SET version = excluded.version, happened_at = excluded.happened_at,
		fold = excluded.fold, state = excluded.state`

type snapshotRow struct {
	Stream  string    `db:"stream"`
	Version int64     `db:"version"`
	At      time.Time `db:"happened_at"`
	Fold    int64     `db:"fold"`
	State   string    `db:"state"`
}

// Snapshot keeps the state of those streams that have grown by at least every events since the snapshot they were
// loaded from. It belongs after [Store.Append] of the last of these events, in the same transaction: whoever comes too
// late fails there. Only the newest is kept of a stream, by whatever fold: so a release beside an older or a newer one
// may find none that it can use, and folds from the start.
func (s *Store[A]) Snapshot(ctx context.Context, tx *sqldb.Tx, streams []Stream[A], every int64) error {
	var rows []snapshotRow
	for _, stream := range streams {
		if stream.Version-stream.Snapshot < every {
			continue
		}
		state, err := s.fold.Encode(stream.State)
		if err != nil {
			return fmt.Errorf("version %d of stream %s: %w", stream.Version, stream.ID, err)
		}
		rows = append(rows, snapshotRow{stream.ID, stream.Version, stream.At, s.fold.Number, string(state)})
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b snapshotRow) int { return cmp.Compare(a.Stream, b.Stream) })
	_, err := tx.With(rows).Exec(ctx, s.snapshot)
	return err
}
