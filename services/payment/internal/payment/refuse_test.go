package payment_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// TestRefuses names what is refused and why. That nothing changes is checked here and, from every reachable state, by
// TestEveryInterleaving.
func TestRefuses(t *testing.T) {
	held := []payment.Message{
		placed.message("o-1", visa), reserved.message("o-1", visa), claim{}, answer(payment.Authorize, "", total, 0, 0),
	}
	fenced := append(held[:len(held):len(held)],
		confirmed.message("o-1", visa), cancelled.message("o-1", visa), claim{},
		answer(payment.Cancel, "", total, 0, 0))
	voided := []payment.Message{
		placed.message("o-1", visa), reserved.message("o-1", visa), cancelled.message("o-1", visa),
	}

	tests := map[string]struct {
		known   []payment.Message
		message payment.Message
		want    error
	}{
		"no order id": {nil, payment.StockReserved{}, payment.ErrInvalid},
		"no payment method": {
			nil, payment.OrderPlaced{OrderID: "o-1", Amount: total, Currency: "EUR"}, payment.ErrInvalid,
		},
		"a total of 0": {
			nil, payment.OrderPlaced{OrderID: "o-1", Currency: "EUR", Method: visa}, payment.ErrInvalid,
		},
		"a negative total": {
			nil, payment.OrderCancelled{OrderID: "o-1", Amount: math.MinInt64, Currency: "EUR"}, payment.ErrInvalid,
		},
		"a currency in small letters": {
			nil, payment.OrderConfirmed{OrderID: "o-1", Amount: total, Currency: "eur"}, payment.ErrInvalid,
		},
		"another total": {
			held, payment.OrderConfirmed{OrderID: "o-1", Amount: total - 1, Currency: "EUR"}, payment.ErrContradiction,
		},
		"another currency": {
			held, payment.OrderCancelled{OrderID: "o-1", Amount: total, Currency: "USD"}, payment.ErrContradiction,
		},
		"another payment method": {held, placed.message("o-1", declined), payment.ErrContradiction},
		"an answer to an unknown payment": {
			nil, answer(payment.Authorize, "", total, 0, 0), payment.ErrContradiction,
		},
		"an answer to a call that was never due": {
			held, answer(payment.Refund, "", total, total, total), payment.ErrContradiction,
		},
		"an answer to a payment that was voided unclaimed": {
			append(voided, claim{}), answer(payment.Authorize, "", total, 0, 0), payment.ErrContradiction,
		},
		"an answer to no operation": {held, answer("gamble", "", total, 0, 0), payment.ErrInvalid},
		"a success without an intent": {
			held, payment.Answer{OrderID: "o-1", Operation: payment.Authorize}, payment.ErrInvalid,
		},
		"another intent": {
			held,
			payment.Answer{
				OrderID: "o-1", Operation: payment.Authorize, Intent: payment.Intent{ID: "pi_2", Authorized: total},
			},
			payment.ErrContradiction,
		},
		"an amount that was not asked for": {
			held, answer(payment.Authorize, "", math.MaxInt64, 0, 0), payment.ErrContradiction,
		},
		"a refund of nothing captured": {
			held, answer(payment.Authorize, "", total, 0, total), payment.ErrContradiction,
		},
		"a capture behind the fence": {
			fenced, answer(payment.Capture, "", total, total, 0), payment.ErrContradiction,
		},
		"a success that did nothing": {
			fenced[:6], answer(payment.Capture, "", total, 0, 0), payment.ErrContradiction,
		},
		"already captured, yet not": {
			fenced[:6], answer(payment.Capture, payment.RefusedAlreadyCaptured, total, 0, 0), payment.ErrContradiction,
		},
		"too late to cancel, yet not": {
			fenced[:6], answer(payment.Cancel, payment.RefusedAlreadyCaptured, total, 0, 0), payment.ErrContradiction,
		},
		"authorized, yet nothing is held": {
			fenced[:6], answer(payment.Authorize, "", 0, 0, 0), payment.ErrContradiction,
		},
		"a fence around money taken": {
			fenced[:6], answer(payment.Cancel, "", total, total, 0), payment.ErrContradiction,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			till, same := &payment.Till{}, &payment.Till{}
			for _, m := range test.known {
				for _, side := range []*payment.Till{till, same} {
					if _, err := m.Decide(side); err != nil {
						t.Fatalf("%#v: %v", m, err)
					}
				}
			}
			events, err := test.message.Decide(till)
			if !errors.Is(err, test.want) || len(events) > 0 {
				t.Errorf("got events %#v and error %v, want %v", events, err, test.want)
			}
			if diff := cmp.Diff(same, till); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
		})
	}
}
