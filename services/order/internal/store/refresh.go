package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

const (
	// refreshBatch is how many rows one transaction of KeepRefreshed brings up to date. Others wait for it on SQLite.
	refreshBatch = 100
	// refreshAgain is the pause after a failure.
	refreshAgain = 30 * time.Second
)

// KeepRefreshed brings those rows of the read table up to date that a release without their columns has written, or
// another fold has; then it waits for the end of ctx. Lists are right before, while and after it does so: it only
// spares them the fold.
func KeepRefreshed(ctx context.Context, db *sqldb.DB, logger *slog.Logger) error {
	for after := ""; ; {
		last, err := refresh(ctx, db, after, refreshBatch)
		var pause <-chan time.Time // for ever, once there is nothing left
		switch {
		case err != nil && ctx.Err() == nil:
			logger.WarnContext(ctx, "lists fold events: the read table is not up to date", "error", err)
			pause = time.After(refreshAgain)
		case err == nil && last != "":
			after = last
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-pause:
		}
	}
}

// refresh looks at the next rows behind, by id, and returns the last of them, empty if there was none. A row that
// changes meanwhile is left to whoever changed it.
func refresh(ctx context.Context, db *sqldb.DB, after string, limit int) (last string, err error) {
	var ids []string
	err = db.Read(ctx, func(tx *sqldb.Tx) (err error) {
		ids, err = sqldb.Select[string](ctx, tx, `
			SELECT o.order_id FROM orders o
			WHERE o.order_id > $1
				AND (o.progress_version <> o.version OR o.progress_fold <> $2 OR o.placed = '')
			ORDER BY o.order_id LIMIT $3`, after, order.Fold, limit)
		return err
	})
	if err != nil || len(ids) == 0 {
		return "", err
	}
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		found, err := loadStreams(ctx, tx, ids)
		if err != nil {
			return err
		}
		rows := make([]changedRow, len(found))
		for i, s := range found {
			if rows[i], err = rowOf(orderOf(s)); err != nil {
				return err
			}
		}
		_, err = tx.With(rows).Exec(ctx, `
			UPDATE orders SET placed = e.data, progress = rows.progress, progress_version = rows.version,
				progress_fold = rows.progress_fold
			FROM rows JOIN order_events e ON e.order_id = rows.order_id AND e.version = 1
			WHERE orders.order_id = rows.order_id AND orders.version = rows.version`)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("refresh the rows of %d orders: %w", len(ids), err)
	}
	return ids[len(ids)-1], nil
}
