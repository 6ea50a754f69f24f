package store_test

import (
	"errors"
	"testing"

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

// TestACallStandsBelowWhatMadeItDue: within the trace of the order, and never in another.
func TestACallStandsBelowWhatMadeItDue(t *testing.T) {
	const trace, other = "00-0af7651916cd43dd8448eb211c80319c-", "00-ffffffffffffffffffffffffffffffff-"
	told := func(trace, span string, m payment.Message) []store.Message {
		return from(store.Origin{Correlation: "c" + span, Trace: trace + span + "-01"}, m)
	}
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, inputs := range [][]store.Message{
			append(told(trace, "0000000000000001", place("batch")), told(trace, "0000000000000002", reserve("batch"))...),
			told(trace, "0000000000000001", place("turns")), told(trace, "0000000000000002", reserve("turns")),
			told(trace, "0000000000000002", place("other")), told(other, "0000000000000003", reserve("other")),
		} {
			if err := transact(t.Context(), db, inputs, nil); err != nil {
				t.Fatal(err)
			}
		}
		calls := claim(t, db, at(10), 10)
		if len(calls) != 3 {
			t.Fatalf("%d calls were claimed, want three", len(calls))
		}
		for _, call := range calls {
			if want := trace + "0000000000000002-01"; call.Origin.Trace != want {
				t.Errorf("%s: the call belongs to %s, want %s", call.OrderID, call.Origin.Trace, want)
			}
		}
	})
}

// TestASaveLeavesALeaseAlone: whatever is decided about a payment meanwhile, its call stays leased.
func TestASaveLeavesALeaseAlone(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, place("o"), reserve("o"))
		first := one(t, claim(t, db, at(10), 10))
		apply(t, db, confirm("o"))
		apply(t, db, cancel("o"))
		if again := claim(t, db, at(11), 10); len(again) != 0 {
			t.Errorf("G5: a call is claimed while the lease of another is live: %+v, %+v", again, first)
		}
		if next := one(t, claim(t, db, at(10).Add(lease), 10)); next.Claim != 2 {
			t.Errorf("after the lease claim %d, want 2", next.Claim)
		}
	})
}
