package payment_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

var settlement = payment.Settlement{Operator: "ada", Reason: "by transfer"}

func settle() payment.Message {
	return payment.Settle{OrderID: "o-1", Settlement: settlement, At: at(9)}
}

// tillOf folds messages and claims.
func tillOf(t *testing.T, messages ...payment.Message) *payment.Till {
	t.Helper()
	till := &payment.Till{}
	for _, m := range messages {
		if _, err := m.Decide(till); err != nil {
			t.Fatal(err)
		}
	}
	return till
}

func TestWhatIsRefusedForGoodIsSettledByHand(t *testing.T) {
	held := []payment.Message{
		placed.message("o-1", visa), reserved.message("o-1", visa), claim{}, answer(payment.Authorize, "", total, 0, 0),
		confirmed.message("o-1", visa), claim{},
	}
	refused := append(held[:len(held):len(held)],
		answer(payment.Capture, "", total, total, 0), cancelled.message("o-1", visa), claim{},
		answer(payment.Refund, payment.RefusedRefundDeclined, total, total, 0))
	uncancelled := append(held[:len(held):len(held)],
		answer(payment.Capture, payment.RefusedCaptureDeclined, total, 0, 0), cancelled.message("o-1", visa), claim{},
		answer(payment.Cancel, payment.RefusedCancelDeclined, total, 0, 0))
	byHand := payment.ByHand{Settlement: settlement, Total: total}
	tests := map[string]struct {
		known []payment.Message
		want  payment.Event
		end   payment.Status
		late  payment.Message
	}{
		"a refund": {
			refused, payment.Refunded{Amount: total, Currency: "EUR", ByHand: byHand}, payment.StatusRefunded,
			answer(payment.Refund, payment.RefusedRefundDeclined, total, total, 0),
		},
		"a void": {
			uncancelled, payment.Voided{Amount: total, Currency: "EUR", ByHand: byHand}, payment.StatusVoided,
			answer(payment.Cancel, "", total, 0, 0),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			till := tillOf(t, test.known...)
			p := till.Payments["o-1"]
			if !p.Stuck() {
				t.Fatalf("not stuck: %+v", p)
			}
			events, err := settle().Decide(till)
			stamp := payment.Stamp{OrderID: "o-1", Version: p.Version, At: p.UpdatedAt}
			want := test.want
			switch e := want.(type) {
			case payment.Refunded:
				e.Stamp = stamp
				want = e
			case payment.Voided:
				e.Stamp = stamp
				want = e
			}
			if diff := cmp.Diff([]payment.Event{want}, events); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if p.Status() != test.end || p.Stuck() || !p.SettledByHand || p.Captured != p.Refunded ||
				p.Settlement != (payment.Settlement{}) {
				t.Errorf("ended as %+v", p)
			}
			before := *p
			if events, err := test.late.Decide(till); err != nil || len(events) != 0 || *p != before {
				t.Errorf("a late answer: %v, %v, %+v", events, err, p)
			}
			if _, err := settle().Decide(till); !errors.Is(err, payment.ErrNotStuck) || *p != before {
				t.Errorf("settled again: %v", err)
			}
		})
	}
}

func TestOnlyWhatIsStuckIsSettledByHand(t *testing.T) {
	captured := []payment.Message{
		placed.message("o-1", visa), reserved.message("o-1", visa), claim{}, answer(payment.Authorize, "", total, 0, 0),
		confirmed.message("o-1", visa), claim{}, answer(payment.Capture, "", total, total, 0),
	}
	by := func(operator, reason string) payment.Message {
		return payment.Settle{OrderID: "o-1", Settlement: payment.Settlement{Operator: operator, Reason: reason}, At: at(9)}
	}
	tests := map[string]struct {
		known   []payment.Message
		message payment.Message
		want    error
	}{
		"unknown":                {nil, settle(), payment.ErrUnknown},
		"captured":               {captured, settle(), payment.ErrNotStuck},
		"to be refunded":         {append(captured, cancelled.message("o-1", visa)), settle(), payment.ErrNotStuck},
		"voided without a call":  {[]payment.Message{cancelled.message("o-1", visa)}, settle(), payment.ErrNotStuck},
		"by nobody":              {captured, by(" ", "why"), payment.ErrInvalid},
		"without a reason":       {captured, by("ada", ""), payment.ErrInvalid},
		"for what is no text":    {captured, by("ada", "\xff"), payment.ErrInvalid},
		"for a reason too long":  {captured, by("ada", strings.Repeat("x", payment.MaxReason+1)), payment.ErrInvalid},
		"by a name that has NUL": {captured, by("a\x00", "why"), payment.ErrInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			till := tillOf(t, test.known...)
			var before payment.Payment
			if p := till.Payments["o-1"]; p != nil {
				before = *p
			}
			events, err := test.message.Decide(till)
			if !errors.Is(err, test.want) || events != nil {
				t.Errorf("%v, %v; want %v", events, err, test.want)
			}
			if p := till.Payments["o-1"]; p != nil && *p != before {
				t.Errorf("changed to %+v", p)
			}
		})
	}
}
