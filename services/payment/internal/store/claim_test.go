package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

var errAway = errors.New("the gateway is away")

func ended(c store.Call, err error) work.Ended[store.Call] {
	return work.Ended[store.Call]{Call: c, Err: err}
}

// one fails the test unless there is exactly one call.
func one(t *testing.T, calls []store.Call) store.Call {
	t.Helper()
	if len(calls) != 1 {
		t.Fatalf("%d calls were claimed, want one: %+v", len(calls), calls)
	}
	return calls[0]
}

func none(t *testing.T, calls []store.Call) {
	t.Helper()
	if len(calls) > 0 {
		t.Fatalf("calls were claimed that are not due: %+v", calls)
	}
}

func TestClaimReturnsTheWholeCall(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		later := store.Origin{Correlation: "another", Trace: "another"}
		for _, inputs := range [][]store.Message{
			append(from(origin, reserve("o")), from(later, place("o"))...), from(later, confirm("o")),
		} {
			if err := transact(t.Context(), db, inputs, nil); err != nil {
				t.Fatal(err)
			}
		}
		first := one(t, claim(t, db, at(10), 10))
		want := store.Call{
			Call: payment.Call{
				OrderID: "o", Operation: payment.Authorize, Amount: total, Currency: "EUR", Method: "tok_visa",
			},
			Claim: 1, Origin: origin, // that of the first message
		}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Errorf("first call (-want +got):\n%s", diff)
		}

		apply(t, db, answer("o", payment.Authorize, "", total, 0, 0))
		want.Operation, want.Claim, want.Intent = payment.Capture, 2, "pi_o"
		if diff := cmp.Diff(want, one(t, claim(t, db, at(10), 10, ended(first, nil)))); diff != "" {
			t.Errorf("next call (-want +got):\n%s", diff)
		}
	})
}

func TestOneCallAtATime(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, place("o"), reserve("o"))
		first := one(t, claim(t, db, at(10), 10))
		apply(t, db, cancel("o")) // makes another operation due
		none(t, claim(t, db, at(10).Add(store.Lease-time.Microsecond), 10))

		second := one(t, claim(t, db, at(10).Add(store.Lease), 10))
		if second.Operation != payment.Cancel || second.Claim != 2 {
			t.Errorf("after the lease ran out %s was claimed as %d, want cancel as 2", second.Operation, second.Claim)
		}
		// The first ends late: it must not end the lease of the second.
		none(t, claim(t, db, at(10).Add(store.Lease), 10, ended(first, nil)))
		none(t, claim(t, db, at(10).Add(2*store.Lease-time.Microsecond), 10))
		one(t, claim(t, db, at(10).Add(2*store.Lease), 10))
	})
}

func TestFailedCallWaits(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, place("o"), reserve("o"))
		now := at(10)
		call := one(t, claim(t, db, now, 10))
		for _, wait := range []time.Duration{100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000} {
			wait *= time.Millisecond
			none(t, claim(t, db, now, 10, ended(call, errAway)))
			none(t, claim(t, db, now.Add(wait-time.Microsecond), 10))
			now = now.Add(wait)
			call = one(t, claim(t, db, now, 10))
		}
		if call.Claim != 10 {
			t.Errorf("the tenth claim has the number %d", call.Claim)
		}

		// Another operation does not wait for the failures of this one, and begins with short pauses.
		apply(t, db, cancel("o"))
		call = one(t, claim(t, db, now, 10, ended(call, errAway)))
		if call.Operation != payment.Cancel {
			t.Fatalf("%s was claimed, want cancel", call.Operation)
		}
		none(t, claim(t, db, now, 10, ended(call, errAway)))
		one(t, claim(t, db, now.Add(100*time.Millisecond), 10))
	})
}

func TestAnswerThatSettlesNothingWaitsToo(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, place("o"), reserve("o"))
		call := one(t, claim(t, db, at(10), 10))
		none(t, claim(t, db, at(10), 10, ended(call, nil)))
		one(t, claim(t, db, at(10).Add(100*time.Millisecond), 10))
	})
}

func TestClaimHonoursTheLimit(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		orders := []string{"a", "b", "c", "d", "e"}
		for _, o := range orders {
			apply(t, db, place(o), reserve(o))
		}
		none(t, claim(t, db, at(10), 0))
		calls := claim(t, db, at(10), 2)
		if len(calls) != 2 {
			t.Fatalf("%d calls were claimed, want 2", len(calls))
		}
		// A limit of 0 claims none, and ends leases all the same.
		none(t, claim(t, db, at(10), 0, ended(calls[0], errAway), ended(calls[1], errAway)))
		var got []string
		for _, c := range claim(t, db, at(11), 10) {
			got = append(got, c.OrderID)
		}
		slices.Sort(got)
		if diff := cmp.Diff(orders, got); diff != "" {
			t.Errorf("orders (-want +got):\n%s", diff)
		}
	})
}

// TestIdleClaimWritesNothing asks for calls while another transaction that writes is open: on SQLite, where there is
// one at a time, a claim that opened its own would wait until the patience ends.
func TestIdleClaimWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, place("o"))
		err := db.Tx(t.Context(), func(*sqldb.Tx) error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			calls, err := store.Claim(ctx, db, nil, at(10), 10)
			none(t, calls)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
