package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// ErrNotFound says that nothing is known of the order.
var ErrNotFound = errors.New("not found")

// Payment returns that of one order, or ErrNotFound.
func Payment(ctx context.Context, db *sqldb.DB, orderID string) (p *payment.Payment, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		row, err := sqldb.Get[paymentRow](ctx, tx, `
			SELECT `+paymentColumns+` FROM payments p LEFT JOIN calls c ON c.order_id = p.order_id
			WHERE p.order_id = $1`, orderID)
		p = row.payment()
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("read payment: %w", err)
	}
	return p, nil
}

// Line is a line of the ledger.
type Line struct {
	Position
	payment.Line
	// EventID is that of the event that led to it.
	EventID string
	// Settlement says who settled it by hand and why; empty if the gateway did it.
	Settlement payment.Settlement
}

// Position of a line in the ledger, which is listed as it was booked.
type Position struct {
	BookedAt time.Time `json:"booked_at"`
	OrderID  string    `json:"order_id"`
	Version  int64     `json:"version"`
	// Number of the line within its order and version, from 1.
	Number int64 `json:"line"`
}

// Ledger lists up to limit lines that come after a position, zero for the first page. An empty order id stands for the
// whole ledger.
func Ledger(ctx context.Context, db *sqldb.DB, orderID string, after Position, limit int) (lines []Line, err error) {
	// Two texts, because SQLite finds no index for a condition that is sometimes void.
	of, args := "", []any{after.BookedAt, after.OrderID, after.Version, after.Number, limit}
	if orderID != "" {
		of, args = "AND order_id = $6", append(args, orderID)
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := sqldb.Select[entryRow](ctx, tx, `
			SELECT order_id, version, line, account, debit, credit, currency, event_id, booked_at, operator, reason
			FROM ledger_entries
			WHERE (booked_at, order_id, version, line) > ($1, $2, $3, $4) `+of+`
			ORDER BY booked_at, order_id, version, line LIMIT $5`, args...)
		for _, row := range rows {
			lines = append(lines, Line{
				Position: Position{row.BookedAt, row.OrderID, row.Version, row.Line},
				Line: payment.Line{
					Account: row.Account, Debit: row.Debit, Credit: row.Credit, Currency: row.Currency,
				},
				EventID: row.EventID, Settlement: payment.Settlement{Operator: row.Operator, Reason: row.Reason},
			})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the ledger: %w", err)
	}
	return lines, nil
}
