package payment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// claim stands for the store, which counts a claim before the gateway is called.
type claim struct{}

func (claim) Needs() payment.Needs { return payment.Needs{} }

func (claim) Decide(till *payment.Till) ([]payment.Event, error) {
	till.Payments["o-1"].Claims++
	return nil, nil
}

func answer(o payment.Operation, refusal payment.Refusal, authorized, captured, refunded int64) payment.Answer {
	return payment.Answer{
		OrderID: "o-1", Operation: o, Refusal: refusal, At: at(10),
		Intent: payment.Intent{ID: "pi_1", Authorized: authorized, Captured: captured, Refunded: refunded},
	}
}

// TestDecide shows what the payment service says, and calls next, in each course of a purchase.
func TestDecide(t *testing.T) {
	var (
		place   = placed.message("o-1", visa)
		reserve = reserved.message("o-1", visa)
		confirm = confirmed.message("o-1", visa)
		cancel  = cancelled.message("o-1", visa)

		authorizedOK = answer(payment.Authorize, "", total, 0, 0)
		capturedOK   = answer(payment.Capture, "", total, total, 0)
		canceledOK   = answer(payment.Cancel, "", total, 0, 0)
		refundedOK   = answer(payment.Refund, "", total, total, total)

		broke    = answer(payment.Authorize, payment.RefusedInsufficientFunds, 0, 0, 0)
		uncaught = answer(payment.Capture, payment.RefusedCaptureDeclined, total, 0, 0)
		lapsed   = answer(payment.Capture, payment.RefusedAuthorizationExpired, total, 0, 0)
		tooLate  = answer(payment.Cancel, payment.RefusedAlreadyCaptured, total, total, 0)
		fencedIn = answer(payment.Authorize, payment.RefusedIntentCanceled, 0, 0, 0)
		unpaid   = answer(payment.Refund, payment.RefusedRefundDeclined, total, total, 0)
		kept     = answer(payment.Cancel, "no_reason_given", total, 0, 0)
		empty    = answer(payment.Cancel, "", 0, 0, 0)
	)
	stamp := func(version int64, second int) payment.Stamp {
		return payment.Stamp{OrderID: "o-1", Version: version, At: at(second)}
	}
	authorized := func(version int64) payment.Event {
		return payment.Authorized{Stamp: stamp(version, 10), Amount: total, Currency: "EUR"}
	}
	captured := func(version int64) payment.Event {
		return payment.Captured{Stamp: stamp(version, 10), Amount: total, Currency: "EUR"}
	}
	voided := func(version, amount int64) payment.Event {
		return payment.Voided{Stamp: stamp(version, 10), Amount: amount, Currency: "EUR"}
	}
	refunded := func(version int64) payment.Event {
		return payment.Refunded{Stamp: stamp(version, 10), Amount: total, Currency: "EUR"}
	}

	type (
		messages = []payment.Message
		events   = []payment.Event
	)
	tests := map[string]struct {
		messages messages
		events   events
		status   payment.Status
		next     payment.Operation
		stuck    bool
	}{
		"waits for the stock":        {messages{place}, nil, payment.StatusPending, "", false},
		"waits for the order":        {messages{reserve}, nil, payment.StatusPending, "", false},
		"authorizes with both":       {messages{place, reserve}, nil, payment.StatusPending, payment.Authorize, false},
		"in whichever order":         {messages{reserve, place}, nil, payment.StatusPending, payment.Authorize, false},
		"a confirmation alone waits": {messages{confirm}, nil, payment.StatusPending, "", false},
		"a confirmation does not replace the authorization": {
			messages{confirm, place, reserve}, nil, payment.StatusPending, payment.Authorize, false,
		},
		"holds, then waits for the confirmation": {
			messages{place, reserve, claim{}, authorizedOK},
			events{authorized(3)}, payment.StatusAuthorized, "", false,
		},
		"captures once confirmed": {
			messages{place, reserve, claim{}, authorizedOK, confirm},
			events{authorized(3)}, payment.StatusAuthorized, payment.Capture, false,
		},
		"captures at once if the confirmation came first": {
			messages{confirm, place, reserve, claim{}, authorizedOK},
			events{authorized(4)}, payment.StatusAuthorized, payment.Capture, false,
		},
		"takes the money once": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, capturedOK, capturedOK},
			events{authorized(3), captured(5)}, payment.StatusCaptured, "", false,
		},
		"a decline asks no further": {
			messages{place, reserve, claim{}, broke},
			events{payment.Declined{Stamp: stamp(3, 10), Reason: payment.DeclineInsufficientFunds}},
			payment.StatusDeclined, "", false,
		},
		"a cancelled decline is fenced, then voided with 0": {
			messages{place, reserve, claim{}, broke, cancel, claim{}, empty},
			events{
				payment.Declined{Stamp: stamp(3, 10), Reason: payment.DeclineInsufficientFunds}, voided(5, 0),
			},
			payment.StatusVoided, "", false,
		},
		"a failed capture is not tried again": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, uncaught, uncaught},
			events{
				authorized(3), payment.CaptureFailed{Stamp: stamp(5, 10), Reason: payment.CaptureFailureDeclined},
			},
			payment.StatusCaptureFailed, "", false,
		},
		"a failed capture is voided with its hold": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, uncaught, cancel, claim{}, canceledOK},
			events{
				authorized(3), payment.CaptureFailed{Stamp: stamp(5, 10), Reason: payment.CaptureFailureDeclined},
				voided(7, total),
			},
			payment.StatusVoided, "", false,
		},
		"an expired hold is fenced, then voided with 0": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, lapsed, cancel, claim{}, canceledOK},
			events{
				authorized(3), payment.CaptureFailed{Stamp: stamp(5, 10), Reason: payment.CaptureFailureExpired},
				voided(7, 0),
			},
			payment.StatusVoided, "", false,
		},
		"a payment never claimed is voided without a call": {
			messages{place, reserve, cancel},
			events{payment.Voided{Stamp: stamp(3, 4), Currency: "EUR"}}, payment.StatusVoided, "", false,
		},
		"a cancellation that overtakes its order leaves a mark": {
			messages{cancel, place, reserve, confirm},
			events{payment.Voided{Stamp: stamp(1, 1), Currency: "EUR"}}, payment.StatusVoided, "", false,
		},
		"a payment once claimed is fenced before it is voided": {
			messages{place, reserve, claim{}, cancel}, nil, payment.StatusPending, payment.Cancel, false,
		},
		"the fence voids what it held": {
			messages{place, reserve, claim{}, authorizedOK, cancel, claim{}, canceledOK},
			events{authorized(3), voided(5, total)}, payment.StatusVoided, "", false,
		},
		"the fence tells of an authorization whose answer is late": {
			messages{place, reserve, claim{}, cancel, claim{}, canceledOK, authorizedOK},
			events{authorized(4), voided(5, total)}, payment.StatusVoided, "", false,
		},
		"an authorization stopped by the fence is no decline": {
			messages{place, reserve, claim{}, cancel, claim{}, fencedIn, empty, fencedIn},
			events{voided(5, 0)}, payment.StatusVoided, "", false,
		},
		"an intent cancelled behind our back is a decline": {
			messages{place, reserve, claim{}, fencedIn},
			events{payment.Declined{Stamp: stamp(3, 10), Reason: payment.DeclineUnknown}},
			payment.StatusDeclined, "", false,
		},
		"what was captured is refunded": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, capturedOK, cancel},
			events{authorized(3), captured(5)}, payment.StatusCaptured, payment.Refund, false,
		},
		"a refund ends the payment once": {
			messages{
				place, reserve, claim{}, authorizedOK, confirm, claim{}, capturedOK, cancel, claim{},
				refundedOK, refundedOK, cancel,
			},
			events{authorized(3), captured(5), refunded(7)}, payment.StatusRefunded, "", false,
		},
		"a capture of unknown outcome is fenced first": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, cancel},
			events{authorized(3)}, payment.StatusAuthorized, payment.Cancel, false,
		},
		"the fence tells of a capture whose answer was lost": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, cancel, claim{}, tooLate, capturedOK},
			events{authorized(3), captured(6)}, payment.StatusCaptured, payment.Refund, false,
		},
		"a capture made before counts as made": {
			messages{
				place, reserve, claim{}, authorizedOK, confirm, claim{},
				answer(payment.Capture, payment.RefusedAlreadyCaptured, total, total, 0),
			},
			events{authorized(3), captured(5)}, payment.StatusCaptured, "", false,
		},
		"a cancel made before counts as made": {
			messages{
				place, reserve, claim{}, authorizedOK, cancel, claim{},
				answer(payment.Cancel, payment.RefusedIntentCanceled, total, 0, 0),
			},
			events{authorized(3), voided(5, total)}, payment.StatusVoided, "", false,
		},
		"a capture stopped by the fence has not failed": {
			messages{
				place, reserve, claim{}, authorizedOK, confirm, claim{}, cancel, claim{},
				answer(payment.Capture, payment.RefusedIntentCanceled, total, 0, 0), canceledOK,
			},
			events{authorized(3), voided(6, total)}, payment.StatusVoided, "", false,
		},
		"a hold cancelled behind our back is a failed capture": {
			messages{
				place, reserve, claim{}, authorizedOK, confirm, claim{},
				answer(payment.Capture, payment.RefusedIntentCanceled, total, 0, 0),
			},
			events{
				authorized(3), payment.CaptureFailed{Stamp: stamp(5, 10), Reason: payment.CaptureFailureUnknown},
			},
			payment.StatusCaptureFailed, "", false,
		},
		"an intent that exists is fenced whatever becomes of the method": {
			messages{
				place, reserve, claim{}, authorizedOK, cancel, claim{},
				answer(payment.Cancel, payment.RefusedInvalidPaymentMethod, total, 0, 0),
			},
			events{authorized(3)}, payment.StatusAuthorized, "", true,
		},
		"a refused refund waits for an operator": {
			messages{place, reserve, claim{}, authorizedOK, confirm, claim{}, capturedOK, cancel, claim{}, unpaid},
			events{authorized(3), captured(5)}, payment.StatusCaptured, "", true,
		},
		"a refused void waits for an operator": {
			messages{place, reserve, claim{}, authorizedOK, cancel, claim{}, kept},
			events{authorized(3)}, payment.StatusAuthorized, "", true,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			till := &payment.Till{}
			var got []payment.Event
			for _, m := range test.messages {
				happened, err := m.Decide(till)
				if err != nil {
					t.Fatalf("%#v: %v", m, err)
				}
				got = append(got, happened...)
			}
			if diff := cmp.Diff(test.events, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			p := till.Payments["o-1"]
			call, _ := p.Next()
			if p.Status() != test.status || call.Operation != test.next || p.Stuck() != test.stuck {
				t.Errorf("status %s, next call %q, stuck %t; want %s, %q, %t", p.Status(), call.Operation, p.Stuck(),
					test.status, test.next, test.stuck)
			}
		})
	}
}

// TestFirstAnswerStands repeats a call that was answered for good, with another refusal: the gateway should not give
// one, and nothing follows from it.
func TestFirstAnswerStands(t *testing.T) {
	const other payment.Refusal = "on second thoughts"
	start := []payment.Message{placed.message("o-1", visa), reserved.message("o-1", visa), claim{}}
	held := append(start[:len(start):len(start)], answer(payment.Authorize, "", total, 0, 0))
	confirmed := append(held[:len(held):len(held)], confirmed.message("o-1", visa))
	taken := append(confirmed[:len(confirmed):len(confirmed)], answer(payment.Capture, "", total, total, 0))
	cancel := cancelled.message("o-1", visa)
	refused := answer(payment.Cancel, "cancel_declined", total, 0, 0)
	unrefunded := answer(payment.Refund, payment.RefusedRefundDeclined, total, total, 0)

	tests := map[string]struct {
		known []payment.Message
		late  payment.Answer
	}{
		"authorized": {held, answer(payment.Authorize, other, total, 0, 0)},
		"declined": {
			append(start[:len(start):len(start)], answer(payment.Authorize, payment.RefusedCardDeclined, 0, 0, 0)),
			answer(payment.Authorize, other, 0, 0, 0),
		},
		"captured": {taken, answer(payment.Capture, other, total, total, 0)},
		"capture failed": {
			append(confirmed[:len(confirmed):len(confirmed)],
				answer(payment.Capture, payment.RefusedCaptureDeclined, total, 0, 0)),
			answer(payment.Capture, other, total, 0, 0),
		},
		"cancel refused": {
			append(held[:len(held):len(held)], cancel, refused), answer(payment.Cancel, other, total, 0, 0),
		},
		"refund refused": {
			append(taken[:len(taken):len(taken)], cancel, unrefunded), answer(payment.Refund, other, total, total, 0),
		},
		"captured, cancel refused": {
			append(taken[:len(taken):len(taken)], cancel), answer(payment.Cancel, other, total, total, 0),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			till := &payment.Till{}
			for _, m := range test.known {
				if _, err := m.Decide(till); err != nil {
					t.Fatalf("%#v: %v", m, err)
				}
			}
			before := *till.Payments["o-1"]
			events, err := test.late.Decide(till)
			if err != nil || len(events) > 0 {
				t.Errorf("events %#v, error %v", events, err)
			}
			after := *till.Payments["o-1"]
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("changed (-before +after):\n%s", diff)
			}
		})
	}
}
