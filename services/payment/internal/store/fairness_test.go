package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// stampedAt returns messages that make an authorization due at a time.
func stampedAt(order string, at time.Time) []payment.Message {
	return []payment.Message{
		payment.OrderPlaced{OrderID: order, Amount: total, Currency: "EUR", Method: "tok_visa", At: at},
		payment.StockReserved{OrderID: order, At: at},
	}
}

// TestHangingCallsDoNotStarveOthers has one slot and six payments whose calls hang for longer than any pause: whenever
// one ends, the others can be claimed again.
func TestHangingCallsDoNotStarveOthers(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var hanging []string
		for i := range 6 {
			hanging = append(hanging, fmt.Sprintf("hanging/%d", i))
			apply(t, db, stampedAt(hanging[i], at(i))...)
		}
		now := at(10)
		var ends []work.Ended[store.Call]
		next := func() string {
			call := one(t, claim(t, db, now, 1, ends...))
			now = now.Add(11 * time.Second)
			ends = []work.Ended[store.Call]{ended(call, errAway)}
			return call.OrderID
		}
		var got []string
		for range 9 {
			got = append(got, next())
		}
		if diff := cmp.Diff(slices.Concat(hanging, hanging[:3]), got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}

		apply(t, db, stampedAt("fresh", now)...)
		apply(t, db, payment.OrderCancelled{
			OrderID: hanging[0], Amount: total, Currency: "EUR", At: now.Add(time.Second),
		})
		// The pauses of 3, 4, 5 and 1 were over before the new payment came, that of 2 ended between the two.
		want := append(slices.Clone(hanging[3:]), hanging[1], "fresh", hanging[2], hanging[0])
		got = nil
		for range want {
			got = append(got, next())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("claimed after a payment and a cancellation came (-want +got):\n%s", diff)
		}
	})
}

// TestAbandonedCallIsDueSinceItsLeaseRanOut has a call whose process died.
func TestAbandonedCallIsDueSinceItsLeaseRanOut(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		apply(t, db, stampedAt("abandoned", at(0))...)
		one(t, claim(t, db, at(1), 1))
		apply(t, db, stampedAt("before", at(1).Add(store.Lease-time.Second))...)
		apply(t, db, stampedAt("after", at(1).Add(store.Lease+time.Second))...)
		var got []string
		for _, call := range claim(t, db, at(3).Add(store.Lease), 10) {
			got = append(got, call.OrderID)
		}
		if diff := cmp.Diff([]string{"before", "abandoned", "after"}, got); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
	})
}
