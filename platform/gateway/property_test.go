package gateway_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

// Whatever is asked, in whatever order and however often, the ledger shows money that adds up and a fence that holds,
// and a restart changes nothing.
func TestTheLedgerHoldsItsInvariantsForAnyRequests(t *testing.T) {
	tokens := []gateway.Token{gateway.TokenVisa, gateway.TokenDeclined, gateway.TokenFlaky,
		gateway.TokenCaptureDeclined, gateway.TokenRefundDeclined,
		gateway.TokenCancelDeclined}
	folder := t.TempDir()
	run := 0

	rapid.Check(t, func(rt *rapid.T) {
		run++
		config := gateway.Config{Data: fmt.Sprintf("%s/%d", folder, run)}
		g, err := gateway.Open(config)
		if err != nil {
			rt.Fatal(err)
		}
		c := caller{t, g}
		ids := make([]string, 2)
		for n := range ids {
			token := rapid.SampledFrom(tokens).Draw(rt, "token")
			ids[n] = c.intent(fmt.Sprint("order-", n), token).ID
		}
		for range rapid.IntRange(1, 20).Draw(rt, "requests") {
			id := rapid.SampledFrom(ids).Draw(rt, "intent")
			key := rapid.StringMatching("[a-f]").Draw(rt, "key")
			amount := rapid.SampledFrom([]int64{1, 400, 600, 1000, 1001}).Draw(rt, "amount")
			var got answer
			switch rapid.SampledFrom([]string{"authorize", "capture", "cancel", "refund"}).Draw(rt, "operation") {
			case "authorize":
				got = c.authorize(id, key)
			case "capture":
				got = c.capture(id, key, amount)
			case "cancel":
				got = c.cancel(id, key)
			case "refund":
				got = c.refund(id, key, amount)
			}
			if got.status >= 500 && got.code != gateway.CodeUnavailable {
				rt.Fatalf("answered %d: %s", got.status, got.body)
			}
		}

		ledger := c.ledger()
		check(rt, ledger)
		if err := g.Close(); err != nil {
			rt.Fatal(err)
		}
		if g, err = gateway.Open(config); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(ledger, (caller{t, g}).ledger()); diff != "" {
			rt.Fatalf("ledger after a restart (-before +after):\n%s", diff)
		}
		if err := g.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func check(t *rapid.T, ledger []gateway.Operation) {
	keys := make(map[string]bool)
	last := make(map[string]gateway.Intent)
	for n, operation := range ledger {
		after := *operation.After
		if operation.Seq != int64(n)+1 {
			t.Fatalf("operation %d has the number %d", n+1, operation.Seq)
		}
		if after.Refunded > after.Captured || after.Captured > after.Authorized || after.Authorized > after.Amount {
			t.Fatalf("operation %d: the amounts do not add up: %+v", operation.Seq, after)
		}
		if operation.Kind == gateway.KindOpen {
			last[after.ID] = after
			continue
		}
		if keys[operation.Key] {
			t.Fatalf("operation %d: the key %s had an effect before", operation.Seq, operation.Key)
		}
		keys[operation.Key] = true
		before := *operation.Before
		if diff := cmp.Diff(last[after.ID], before); diff != "" {
			t.Fatalf("operation %d does not begin where the last one ended:\n%s", operation.Seq, diff)
		}
		final := before.Status == gateway.StatusCanceled || before.Status == gateway.StatusDeclined ||
			before.Status == gateway.StatusRefunded
		if final && !cmp.Equal(before, after) {
			t.Fatalf("operation %d changed what was %s:\n%s", operation.Seq, before.Status, cmp.Diff(before, after))
		}
		if before.Captured != 0 && after.Captured != before.Captured {
			t.Fatalf("operation %d captured again: %+v", operation.Seq, after)
		}
		last[after.ID] = after
	}
}
