package store

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Save writes what changed, each row from the version that was loaded to the final one, and books the facts in the
// ledger. A row that another transaction changed first is a conflict. The table of calls belongs to Claim.
func Save(ctx context.Context, tx *sqldb.Tx, s *State, facts []work.Fact[payment.Event]) error {
	if err := savePayments(ctx, tx, s); err != nil {
		return fmt.Errorf("save payments: %w", err)
	}
	if err := book(ctx, tx, facts); err != nil {
		return fmt.Errorf("append to the ledger: %w", err)
	}
	return nil
}

func savePayments(ctx context.Context, tx *sqldb.Tx, s *State) error {
	var created, changed []paymentRow
	for _, p := range s.Till.Payments {
		switch {
		case p.Version == p.Stored:
		case p.Stored == 0:
			created = append(created, rowOf(p, s.origins[p.OrderID]))
		default:
			changed = append(changed, rowOf(p, s.origins[p.OrderID]))
		}
	}
	err := work.Write(ctx, tx, created, `
		INSERT INTO payments (order_id, amount, currency, method, placed, reserved, confirmed, cancelled, intent,
			authorized, captured, refunded, decline, capture_failure, fenced, expired, cancel_refused, refund_refused,
			ended, settled_by_hand, next_call, version, updated_at, correlation_id, trace)
		SELECT order_id, amount, currency, method, placed, reserved, confirmed, cancelled, intent,
			authorized, captured, refunded, decline, capture_failure, fenced, expired, cancel_refused, refund_refused,
			ended, settled_by_hand, next_call, version, updated_at, correlation_id, trace
		FROM rows WHERE true ORDER BY order_id`)
	if err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE payments SET amount = rows.amount, currency = rows.currency, method = rows.method,
			placed = rows.placed, reserved = rows.reserved, confirmed = rows.confirmed, cancelled = rows.cancelled,
			intent = rows.intent, authorized = rows.authorized, captured = rows.captured, refunded = rows.refunded,
			decline = rows.decline, capture_failure = rows.capture_failure, fenced = rows.fenced,
			expired = rows.expired, cancel_refused = rows.cancel_refused, refund_refused = rows.refund_refused,
			ended = rows.ended, settled_by_hand = rows.settled_by_hand, next_call = rows.next_call,
			version = rows.version, updated_at = rows.updated_at, trace = `+lastSpan+`
		FROM rows WHERE payments.order_id = rows.order_id AND payments.version = rows.stored`)
}

// lastSpan is, in SQL, the last span of the trace that a payment belongs to: a message of another trace leaves it as it
// was. The first 36 letters of a traceparent are those of its trace.
const lastSpan = `CASE WHEN substr(rows.trace, 1, 36) = substr(payments.trace, 1, 36)
	THEN rows.trace ELSE payments.trace END`

type entryRow struct {
	OrderID  string          `db:"order_id"`
	Version  int64           `db:"version"`
	Line     int64           `db:"line"`
	Account  payment.Account `db:"account"`
	Debit    int64           `db:"debit"`
	Credit   int64           `db:"credit"`
	Currency string          `db:"currency"`
	EventID  string          `db:"event_id"`
	BookedAt time.Time       `db:"booked_at"`
	Operator string          `db:"operator"`
	Reason   string          `db:"reason"`
}

// book appends the lines of each fact's entries, numbered from 1 within the fact.
func book(ctx context.Context, tx *sqldb.Tx, facts []work.Fact[payment.Event]) error {
	var rows []entryRow
	for _, f := range facts {
		line := int64(0)
		for _, entry := range payment.Entries(f.Event) {
			for _, l := range entry.Lines() {
				line++
				rows = append(rows, entryRow{
					OrderID: entry.OrderID, Version: entry.Version, Line: line, Account: l.Account,
					Debit: l.Debit, Credit: l.Credit, Currency: l.Currency, EventID: f.ID, BookedAt: entry.At,
					Operator: entry.Settlement.Operator, Reason: entry.Settlement.Reason,
				})
			}
		}
	}
	return work.Write(ctx, tx, rows, `
		INSERT INTO ledger_entries (order_id, version, line, account, debit, credit, currency, event_id, booked_at,
			operator, reason)
		SELECT order_id, version, line, account, debit, credit, currency, event_id, booked_at,
			operator, reason FROM rows WHERE true`)
}
