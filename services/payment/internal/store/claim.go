package store

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Lease is for how long a claimed call may be under way, its answer's own transaction included. It spares calls and
// carries no correctness: a call that outlives it is answered all the same.
const Lease = 30 * time.Second

// How long a call waits that was not answered: firstRetry after the first attempt, twice as long after each further.
const (
	firstRetry = 100 * time.Millisecond
	maxRetry   = 10 * time.Second
)

// Call is a claimed call to the gateway.
type Call struct {
	payment.Call
	// Claim numbers the calls of a payment from 1, whatever their operations and outcomes.
	Claim int64
	// Intent is the gateway's id of the payment intent, empty as long as no answer has told it.
	Intent string
	Origin Origin
}

// Claim ends the leases of ended calls, then leases at most limit calls that are due and returns them, the one that is
// due longest first. A call that is still due although it was made, because it failed or its answer settled nothing, is
// claimed again after a pause that grows with its attempts; another operation of the same payment need not wait.
//
// It opens no transaction that writes unless there is something to write.
func Claim(ctx context.Context, db *sqldb.DB, ended []work.Ended[Call], now time.Time, limit int) ([]Call, error) {
	ends := endsOf(ended)
	if len(ends) == 0 {
		idle, err := nothingDue(ctx, db, now, limit)
		if err != nil || idle {
			return nil, err
		}
	}
	var claimed []Call
	err := db.Tx(ctx, func(tx *sqldb.Tx) (err error) {
		claimed, err = claim(ctx, tx, ends, now, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim calls: %w", err)
	}
	return claimed, nil
}

func nothingDue(ctx context.Context, db *sqldb.DB, now time.Time, limit int) (idle bool, err error) {
	if limit <= 0 {
		return true, nil
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		due, err := findDue(ctx, tx, nil, now, 1)
		idle = len(due) == 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for due calls: %w", err)
	}
	return idle, nil
}

// endRow says that the call with this claim number is no longer under way. That of an earlier claim, whose lease ran
// out and was given to another, ends nothing.
type endRow struct {
	OrderID string `db:"order_id"`
	Claims  int64  `db:"claims"`
}

func endsOf(ended []work.Ended[Call]) []endRow {
	ends := make([]endRow, len(ended))
	for i, e := range ended {
		ends[i] = endRow{OrderID: e.Call.OrderID, Claims: e.Call.Claim}
	}
	return ends
}

type leaseRow struct {
	OrderID     string            `db:"order_id"`
	Operation   payment.Operation `db:"operation"`
	Claims      int64             `db:"claims"`
	Attempts    int64             `db:"attempts"`
	LeasedUntil time.Time         `db:"leased_until"`
	RetryAt     time.Time         `db:"retry_at"`
}

// claim takes the locks of the payments before it reads what it decides by and writes their leases, as Load does before
// a cancellation is decided: one of the two sees what the other did.
func claim(ctx context.Context, tx *sqldb.Tx, ends []endRow, now time.Time, limit int) ([]Call, error) {
	due, err := findDue(ctx, tx, ends, now, limit)
	if err != nil {
		return nil, err
	}
	ids := append(make([]string, 0, len(due)+len(ends)), due...)
	for _, e := range ends {
		ids = append(ids, e.OrderID)
	}
	keys := sqldb.Keys(ids, orderKeyOf)
	found, err := lockPayments(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	leases, err := sqldb.Select[leaseRow](ctx, tx.With(keys), `
		SELECT c.order_id, c.operation, c.claims, c.attempts, c.leased_until, c.retry_at
		FROM calls c JOIN rows ON rows.order_id = c.order_id`)
	if err != nil {
		return nil, err
	}

	desk := newDesk(found, leases, now)
	for _, e := range ends {
		desk.end(e)
	}
	var claimed []Call
	for _, id := range due {
		if call, ok := desk.claim(id); ok {
			claimed = append(claimed, call)
		}
	}
	return claimed, work.Write(ctx, tx, desk.changed(), `
		INSERT INTO calls (order_id, operation, claims, attempts, leased_until, retry_at)
		SELECT order_id, operation, claims, attempts, leased_until, retry_at FROM rows WHERE true ORDER BY order_id
		ON CONFLICT (order_id) DO UPDATE SET operation = excluded.operation, claims = excluded.claims,
			attempts = excluded.attempts, leased_until = excluded.leased_until, retry_at = excluded.retry_at
		WHERE calls.claims <= excluded.claims`)
}

// findDue returns the orders whose next call can be claimed once ends are applied, first the one that is due longest. A
// call that is made again is due since its pause ended, or its lease if nobody ended it: a gateway that hangs at some
// payments' calls makes them wait behind the calls that fell due meanwhile. Ends are looked up by IN, for which SQLite
// builds an index; joined, it would read all of them for every payment.
func findDue(ctx context.Context, tx *sqldb.Tx, ends []endRow, now time.Time, limit int) ([]string, error) {
	if limit <= 0 {
		return nil, nil
	}
	return sqldb.Select[string](ctx, tx.With(ends), `
		SELECT p.order_id FROM payments p
		LEFT JOIN calls c ON c.order_id = p.order_id
		WHERE p.next_call IS NOT NULL AND (c.order_id IS NULL
			OR CASE WHEN (c.order_id, c.claims) IN (SELECT order_id, claims FROM rows) THEN c.operation <> p.next_call
				ELSE c.leased_until <= $1 AND (c.operation <> p.next_call OR c.retry_at <= $1) END)
		ORDER BY CASE WHEN c.operation = p.next_call THEN c.retry_at ELSE p.updated_at END, p.order_id
		LIMIT $2`, now, limit)
}
