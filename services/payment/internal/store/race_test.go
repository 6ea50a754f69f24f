package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// begin starts fn and returns once it waits for a lock of another transaction, or has ended. On SQLite, where it waits
// to begin, that cannot be seen, nor does it matter: the other transaction is alone until it commits.
func begin(t *testing.T, db *sqldb.DB, fn func() error) (wait func() error) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- fn() }()
	if db.Dialect() == sqldb.SQLite {
		return func() error { return <-done }
	}
	for {
		select {
		case err := <-done:
			return func() error { return err }
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		default:
		}
		var waiting int64
		err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
			waiting, err = sqldb.Get[int64](t.Context(), tx, `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if waiting > 0 {
			return func() error { return <-done }
		}
	}
}

func claimLocked(ctx context.Context, tx *sqldb.Tx, now time.Time, limit int) ([]store.Call, error) {
	return store.Leases(lease).ClaimIn(ctx, tx, nil, now, limit)
}

// claimUnlocked is what ClaimIn would be without the lock that cancellations take too.
func claimUnlocked(ctx context.Context, tx *sqldb.Tx, now time.Time, _ int) ([]store.Call, error) {
	_, err := tx.Exec(ctx, `
		INSERT INTO calls (order_id, operation, claims, attempts, leased_until, retry_at)
		SELECT order_id, next_call, 1, 1, $1, $1 FROM payments WHERE next_call IS NOT NULL`, now)
	return nil, err
}

// TestVoidedOrClaimed lets a payment be cancelled while its first call is claimed. Whoever is first, it is either
// voided without a call or claimed and then fenced; never both.
func TestVoidedOrClaimed(t *testing.T) {
	type claimer func(context.Context, *sqldb.Tx, time.Time, int) ([]store.Call, error)
	tests := map[string]struct {
		claim       claimer
		cancelFirst bool
		// both: voided without a call, and claimed. The naive way must fail, or the test shows nothing.
		both bool
	}{
		"the cancellation is first":                   {claimLocked, true, false},
		"the claim is first":                          {claimLocked, false, false},
		"without the lock the cancellation sees none": {claimUnlocked, true, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *sqldb.DB) {
				if test.both && db.Dialect() == sqldb.SQLite {
					return // where writers are alone, the naive way is right
				}
				apply(t, db, place("o"), reserve("o"))
				cancelling := func(between func()) error {
					return transact(t.Context(), db, from(origin, cancel("o")), between)
				}
				claiming := func(between func()) error {
					return db.Tx(t.Context(), func(tx *sqldb.Tx) error {
						_, err := test.claim(t.Context(), tx, at(10), 10)
						if between != nil {
							between()
						}
						return err
					})
				}
				first, second := claiming, cancelling
				if test.cancelFirst {
					first, second = cancelling, claiming
				}
				var wait func() error
				if err := first(func() { wait = begin(t, db, func() error { return second(nil) }) }); err != nil {
					t.Fatal(err)
				}
				if err := wait(); err != nil {
					t.Fatal(err)
				}

				p := read(t, db, "o")
				voided := p.Ended == payment.EndedVoided && !p.Fenced
				if both := voided && p.Claims > 0; both != test.both {
					t.Fatalf("G5: voided without a call: %t, claims: %d", voided, p.Claims)
				}
				if !test.both && voided != test.cancelFirst {
					t.Errorf("voided without a call: %t, the cancellation was first: %t", voided, test.cancelFirst)
				}
				if next, _ := p.Next(); !voided && next.Operation != payment.Cancel {
					t.Errorf("claimed and cancelled, yet the next call is %q", next.Operation)
				}
			})
		})
	}
}

// TestClaimersShareNothing lets several claimers take all calls at once, end some and take more.
func TestClaimersShareNothing(t *testing.T) {
	const orders, claimers = 60, 4
	each(t, func(t *testing.T, db *sqldb.DB) {
		var messages []payment.Message
		for i := range orders {
			order := fmt.Sprintf("o-%02d", i)
			messages = append(messages, place(order), reserve(order))
		}
		apply(t, db, messages...)

		var mu sync.Mutex
		var wg sync.WaitGroup
		claimed := map[string]int{}
		for range claimers {
			wg.Go(func() {
				var failed []work.Ended[store.Call]
				for {
					calls, err := store.Leases(lease).Claim(t.Context(), db, failed, at(10), 7)
					if sqldb.IsUnavailable(err) {
						t.Errorf("two claimers stood in each other's way: %v", err)
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					failed = nil
					if len(calls) == 0 {
						if rest(t, db) == 0 {
							return
						}
						continue // another claimer was faster with what this one had picked
					}
					mu.Lock()
					for _, c := range calls {
						claimed[fmt.Sprintf("%s/%d", c.OrderID, c.Claim)]++
						failed = append(failed, work.Ended[store.Call]{Call: c, Err: errAway})
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(claimed) != orders {
			t.Errorf("%d calls of %d orders were claimed", len(claimed), orders)
		}
		for call, times := range claimed {
			if times != 1 {
				t.Errorf("call %s was claimed %d times", call, times)
			}
		}
	})
}

// rest counts the payments that no call was claimed for yet.
func rest(t *testing.T, db *sqldb.DB) (n int64) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
		n, err = sqldb.Get[int64](t.Context(), tx, `
			SELECT count(*) FROM payments p LEFT JOIN calls c ON c.order_id = p.order_id WHERE c.order_id IS NULL`)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return n
}
