package payment_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// TestAPaymentThatWasForgottenAsksBeforeItIsVoid stops a saga anywhere, sets all back to what it was at some time before
// but what the gateway knows, and lets every letter come again, in any order, with the rest.
func TestAPaymentThatWasForgottenAsksBeforeItIsVoid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := saga{orderID: "o-1", waiting: [4]bool{true, true, true, rapid.Bool().Draw(t, "cancelled")}}
		before.gateway.method = rapid.SampledFrom([]string{
			visa, declined, captureDeclined, expired, cancelDeclined, refundDeclined, unknownMethod,
		}).Draw(t, "method")
		till, backup := &payment.Till{}, map[string]*payment.Payment{}
		s := saga{orderID: before.orderID, restored: true}
		at := rapid.IntRange(0, 20).Draw(t, "backup")
		for step := range rapid.IntRange(at, 20).Draw(t, "steps") {
			if step == at {
				s.events, s.books, s.told = before.events, before.books, before.told
				for id, p := range copyOf(till, "") {
					backup[id] = &p
				}
			}
			actions := before.actions(known(till, before.orderID))
			if len(actions) == 0 {
				break
			}
			before.apply(t, till, rapid.SampledFrom(actions).Draw(t, "action"))
		}

		s.gateway, s.waiting = before.gateway, [4]bool{true, true, true, true}
		till = &payment.Till{Payments: backup, AskBeforeVoid: true}
		for {
			actions := s.actions(known(till, s.orderID))
			if len(actions) == 0 {
				break
			}
			s.apply(t, till, rapid.SampledFrom(actions).Draw(t, "action after"))
		}
		s.checkRest(t, known(till, s.orderID))
	})
}
