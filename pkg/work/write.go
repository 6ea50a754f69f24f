package work

import (
	"context"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Write runs a set-based statement that must change one row for each of rows, and returns ErrConflict if it changed
// fewer: another transaction was there first. It does nothing if rows is empty.
func Write[T any](ctx context.Context, tx *sqldb.Tx, rows []T, query string, args ...any) error {
	if len(rows) == 0 {
		return nil
	}
	changed, err := tx.With(rows).Exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if changed != int64(len(rows)) {
		return ErrConflict
	}
	return nil
}
