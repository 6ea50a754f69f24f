package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
)

const (
	// refreshBatch is how many rows one transaction of KeepRefreshed brings up to date. Others wait for it on SQLite.
	refreshBatch = 100
	// refreshEvery is how often KeepRefreshed looks for rows that a release without our columns has written meanwhile.
	refreshEvery = 30 * time.Second
)

// newBehind is true of orders o that were written without our columns. It is the condition of an index.
const newBehind = `o.open_version <> o.version`

// anyBehind is true of all that lists would have to fold.
var anyBehind = fmt.Sprintf(`(%s OR o.progress_version <> o.version OR o.progress_fold <> %d OR o.placed = '')`,
	newBehind, order.Fold)

// KeepRefreshed brings those rows of the read table up to date that a release without their columns has written, or
// another fold has, until ctx ends. Lists are right before, while and after it does so: it only spares them the fold.
// Sagas that wait are told of its rows alone.
func KeepRefreshed(ctx context.Context, db *sqldb.DB, logger *slog.Logger) error {
	behind := anyBehind
	for after := ""; ; {
		last, err := refresh(ctx, db, behind, after, refreshBatch)
		switch {
		case err != nil && ctx.Err() == nil:
			logger.WarnContext(ctx, "lists fold events: the read table is not up to date", "error", err)
		case err == nil && last != "":
			after = last
			continue
		case err == nil:
			behind, after = newBehind, ""
		}
		pause := time.NewTimer(refreshEvery)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// refresh looks at the next rows behind, by id, and returns the last of them, empty if there was none. A row that
// changes meanwhile is left to whoever changed it.
func refresh(ctx context.Context, db *sqldb.DB, behind, after string, limit int) (last string, err error) {
	var ids []string
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err := find(ctx, tx)
		if err != nil {
			return err
		}
		ids, err = sqldb.Select[string](ctx, tx, `
			SELECT o.order_id FROM `+at.Orders.Active+` o WHERE o.order_id > $1 AND `+behind+`
			ORDER BY o.order_id LIMIT $2`, after, limit)
		return err
	})
	if err != nil || len(ids) == 0 {
		return "", err
	}
	last = ids[len(ids)-1]
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		at, err := share(ctx, tx)
		if err != nil {
			return err
		}
		found, err := loadStreams(ctx, tx, at, ids)
		if err != nil {
			return err
		}
		rows := make([]readmodel.OrderRow, len(found))
		for i, s := range found {
			if rows[i], err = readmodel.RowOf(orderOf(s)); err != nil {
				return err
			}
		}
		_, err = tx.With(rows).Exec(ctx, strings.ReplaceAll(`
			UPDATE {table} SET placed = e.data, progress = rows.progress, progress_version = rows.version,
				progress_fold = rows.progress_fold, open_since = rows.open_since, open_version = rows.version
			FROM rows JOIN order_events e ON e.order_id = rows.order_id AND e.version = 1
			WHERE {table}.order_id = rows.order_id AND {table}.version = rows.version`, "{table}", at.Orders.Active))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("refresh the rows of %d orders: %w", len(ids), err)
	}
	return last, nil
}
