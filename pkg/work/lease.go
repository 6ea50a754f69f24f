package work

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Leased is an outside call that a service makes under a lease.
type Leased interface {
	// Lease returns the key of the call's aggregate and the number of its claim. Claims of an aggregate are numbered
	// from 1, whatever their operations and outcomes.
	Lease() (key string, claim int64)
}

// Leases claims a service's outside calls, one at a time for each aggregate. It carries no correctness: a call that
// outlives its lease is answered all the same.
//
// The service owns two tables. That of its aggregates has the columns next_call, the operation of the call that follows
// from the aggregate's state or null, and updated_at. The table calls has the same key column and
//
//	operation    TEXT        NOT NULL -- what was claimed last
//	claims       BIGINT      NOT NULL -- how many calls were ever claimed; it never decreases
//	attempts     BIGINT      NOT NULL -- how many of them were for the present operation, one after another, and made
//	leased_until TIMESTAMPTZ NOT NULL -- no other call is claimed before
//	retry_at     TIMESTAMPTZ NOT NULL -- the same operation is not claimed again before; another one need not wait
type Leases[C Leased] struct {
	// Aggregates is the table of the aggregates, Key its key column.
	Aggregates, Key string
	// Length of a lease: for how long a claimed call may be under way, its answer's own transaction included. It
	// should follow from the time that the call may take; see LeaseOf. Defaults to 15 s.
	Length time.Duration
	// A call that was not answered is made again after FirstPause, then after twice as long each time, at most
	// MaxPause. They default to 100 ms and 10 s.
	FirstPause, MaxPause time.Duration
	// Next locks the aggregates with the keys, in their order, and returns the call that follows from each; one
	// without a call may be left out.
	Next func(ctx context.Context, tx *sqldb.Tx, keys []string) ([]NextCall[C], error)
}

// NextCall is the call that follows from an aggregate's state.
type NextCall[C Leased] struct {
	Key, Operation string
	// Call returns it under the number of a claim.
	Call func(claim int64) C
}

// AnswerMessage returns the message of a call's answer. One claim has one answer: its id is that of the claim. Said is
// what the answer's digest is made of, the same whenever the answer is, so without a time. The request that the answer
// goes back to is known by its correlation id and its trace.
func AnswerMessage[C Leased, I any](call C, operation string, said []byte, now time.Time, correlation, trace string,
	in I) Message[I] {
	key, claim := call.Lease()
	letter := fmt.Sprintf("call/%s/%s", key, operation)
	id := fmt.Sprintf("%s/%d", letter, claim)
	return Message[I]{
		Scope: ScopeCall, ID: id, Letter: letter, Key: key, Digest: sha256.Sum256(said), At: now, Input: in,
		Cause: event.Cause{
			ID: event.Derive("quadrille/"+ScopeCall, id, 0), Correlation: correlation, Trace: trace,
		},
	}
}

// LeaseOf returns the length of a lease for calls that each end within timeout, with as much as margin before it, to
// wait for its turn, and after it, for the transaction of its answer.
func LeaseOf(timeout, margin time.Duration) time.Duration { return margin + timeout + margin }

func (l Leases[C]) withDefaults() Leases[C] {
	if l.Length == 0 {
		l.Length = 15 * time.Second
	}
	if l.FirstPause == 0 {
		l.FirstPause = 100 * time.Millisecond
	}
	if l.MaxPause == 0 {
		l.MaxPause = 10 * time.Second
	}
	return l
}

// Claim ends the leases of ended calls, then leases at most limit calls that are due and returns them, the one that is
// due longest first. A call that is still due although it was made, because it failed or its answer settled nothing, is
// claimed again after a pause that grows with its attempts; another operation of the same aggregate need not wait.
//
// It opens no transaction that writes unless there is something to write.
func (l Leases[C]) Claim(ctx context.Context, db *sqldb.DB, ended []Ended[C], now time.Time, limit int) ([]C, error) {
	if len(ended) == 0 {
		idle, err := l.nothingDue(ctx, db, now, limit)
		if err != nil || idle {
			return nil, err
		}
	}
	var claimed []C
	err := db.Tx(ctx, func(tx *sqldb.Tx) (err error) {
		claimed, err = l.ClaimIn(ctx, tx, ended, now, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim calls: %w", err)
	}
	return claimed, nil
}

func (l Leases[C]) nothingDue(ctx context.Context, db *sqldb.DB, now time.Time, limit int) (idle bool, err error) {
	if limit <= 0 {
		return true, nil
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		due, err := l.findDue(ctx, tx, nil, now, 1)
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
	Key    string `db:"key"`
	Claims int64  `db:"claims"`
	// unmade: the call was given back, and does not count as an attempt.
	unmade bool
}

func endsOf[C Leased](ended []Ended[C]) []endRow {
	ends := make([]endRow, len(ended))
	for i, e := range ended {
		ends[i].Key, ends[i].Claims = e.Call.Lease()
		ends[i].unmade = errors.Is(e.Err, errNotBegun)
	}
	return ends
}

type leaseKey struct {
	Key string `db:"key"`
}

type leaseRow struct {
	Key         string    `db:"key"`
	Operation   string    `db:"operation"`
	Claims      int64     `db:"claims"`
	Attempts    int64     `db:"attempts"`
	LeasedUntil time.Time `db:"leased_until"`
	RetryAt     time.Time `db:"retry_at"`
}

// ClaimIn is Claim within a transaction. It takes the locks of the aggregates before it reads what it decides by and
// writes their leases. Load takes the same locks: of a claim and a change of the aggregate, one sees what the other
// did.
func (l Leases[C]) ClaimIn(ctx context.Context, tx *sqldb.Tx, ended []Ended[C], now time.Time, limit int) ([]C, error) {
	l = l.withDefaults()
	ends := endsOf(ended)
	due, err := l.findDue(ctx, tx, ends, now, limit)
	if err != nil {
		return nil, err
	}
	ids := append(make([]string, 0, len(due)+len(ends)), due...)
	for _, e := range ends {
		ids = append(ids, e.Key)
	}
	keys := sqldb.Keys(ids, func(id string) leaseKey { return leaseKey{id} })
	if len(keys) == 0 {
		return nil, nil
	}
	next, err := l.Next(ctx, tx, namesOf(keys))
	if err != nil {
		return nil, err
	}
	leases, err := sqldb.Select[leaseRow](ctx, tx.With(keys), fmt.Sprintf(`
		SELECT c.%[1]s AS key, c.operation, c.claims, c.attempts, c.leased_until, c.retry_at
		FROM calls c JOIN rows ON rows.key = c.%[1]s`, l.Key))
	if err != nil {
		return nil, err
	}

	desk := newDesk(l, next, leases, now)
	for _, e := range ends {
		desk.end(e)
	}
	var claimed []C
	for _, key := range due {
		if call, ok := desk.claim(key); ok {
			claimed = append(claimed, call)
		}
	}
	return claimed, Write(ctx, tx, desk.changed(), fmt.Sprintf(`
		INSERT INTO calls (%[1]s, operation, claims, attempts, leased_until, retry_at)
		SELECT key, operation, claims, attempts, leased_until, retry_at FROM rows WHERE true ORDER BY key
		ON CONFLICT (%[1]s) DO UPDATE SET operation = excluded.operation, claims = excluded.claims,
			attempts = excluded.attempts, leased_until = excluded.leased_until, retry_at = excluded.retry_at
		WHERE calls.claims <= excluded.claims`, l.Key))
}

// findDue returns the keys whose next call can be claimed once ends are applied, first the one that is due longest. A
// call that is made again is due since its pause ended, or its lease if nobody ended it: when some aggregates' calls
// hang, they wait behind the calls that fell due meanwhile. Ends are looked up by IN, for which SQLite builds an index;
// joined, it would read all of them for every aggregate. A call whose answer was refused is not due while its letter is
// dead, or parked for longer.
func (l Leases[C]) findDue(ctx context.Context, tx *sqldb.Tx, ends []endRow, now time.Time, limit int) ([]string,
	error) {
	if limit <= 0 {
		return nil, nil
	}
	return sqldb.Select[string](ctx, tx.With(ends), fmt.Sprintf(`
		SELECT a.%[2]s FROM %[1]s a
		LEFT JOIN calls c ON c.%[2]s = a.%[2]s
		WHERE a.next_call IS NOT NULL AND (c.%[2]s IS NULL
			OR CASE WHEN (c.%[2]s, c.claims) IN (SELECT key, claims FROM rows) THEN c.operation <> a.next_call
				ELSE c.leased_until <= $1 AND (c.operation <> a.next_call OR c.retry_at <= $1) END)
			AND NOT EXISTS (
				SELECT 1 FROM inbox i JOIN letters t ON t.scope = i.scope AND t.id = i.id
				WHERE i.scope = 'call' AND i.resource = a.%[2]s AND i.state IN ('parked', 'dead')
					AND i.id = 'call/' || a.%[2]s || '/' || a.next_call AND (i.state = 'dead' OR t.retry_at > $1))
		ORDER BY CASE WHEN c.operation = a.next_call THEN c.retry_at ELSE a.updated_at END, a.%[2]s
		LIMIT (SELECT CAST($2 AS BIGINT))`, l.Aggregates, l.Key), now, limit)
}

func namesOf(keys []leaseKey) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Key
	}
	return names
}
