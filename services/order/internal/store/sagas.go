package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// MaxOpen is where [OpenSagas] stops counting.
const MaxOpen = 100_001

// Since is the position of an order among those that wait, the longest first.
type Since struct {
	OpenSince time.Time `json:"open_since"`
	OrderID   string    `json:"order_id"`
}

// Waiting lists up to limit orders that come after a position, zero for the first page, and whose present status has
// waited for other services since until or longer, the longest first. Those that a release without our columns has
// changed are found once they are brought up to date; see [KeepRefreshed].
func Waiting(ctx context.Context, db *sqldb.DB, until time.Time, after Since, limit int) (
	orders []*order.Order, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		at, err := find(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := sqldb.Select[listedRow](ctx, tx, `
			SELECT `+listedColumns+` FROM `+at.Orders.Active+` o
			WHERE o.open_since <= $2 AND o.open_version = o.version AND (o.open_since, o.order_id) > ($3, $4)
			ORDER BY o.open_since, o.order_id LIMIT $5`, order.Fold, until, after.OpenSince, after.OrderID, limit)
		if err != nil {
			return err
		}
		orders, err = restore(ctx, tx, rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list orders that wait: %w", err)
	}
	return orders, nil
}

// Open counts orders of a status whose sagas have not ended.
type Open struct {
	Status order.Status `db:"status"`
	// Reached is at how many of the instants that were asked about they were open already.
	Reached int64     `db:"reached"`
	Orders  int64     `db:"orders"`
	Oldest  time.Time `db:"oldest"` // since when the first of them is open
}

// OpenSagas counts the orders whose sagas have not ended, the oldest [MaxOpen] of them, by their status and by how many
// of the instants they have seen.
func OpenSagas(ctx context.Context, db *sqldb.DB, at ...time.Time) (open []Open, err error) {
	reached := []string{"0"}
	args := []any{MaxOpen}
	for _, instant := range at {
		args = append(args, instant)
		reached = append(reached, fmt.Sprintf("CASE WHEN s.open_since <= $%d THEN 1 ELSE 0 END", len(args)))
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		tables, err := find(ctx, tx)
		if err != nil {
			return err
		}
		open, err = sqldb.Select[Open](ctx, tx, `
			SELECT s.status, `+strings.Join(reached, " + ")+` AS reached, count(*) AS orders,
				min(s.open_since) AS oldest
			FROM (SELECT o.status, o.open_since FROM `+tables.Orders.Active+` o
				WHERE o.open_since IS NOT NULL AND o.open_version = o.version ORDER BY o.open_since LIMIT $1) s
			GROUP BY s.status, reached ORDER BY s.status, reached`, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count sagas that wait: %w", err)
	}
	return open, nil
}
