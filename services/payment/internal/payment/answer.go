package payment

import (
	"fmt"
	"time"
)

// Refusal is the gateway's final no, by the code it gives. An unlisted code is a refusal like any other. A timeout or a
// failure of the gateway is none: it says nothing about what was done, and such a call is made again.
type Refusal string

// The codes that the gateway gives.
const (
	RefusedCardDeclined         Refusal = "card_declined"
	RefusedInsufficientFunds    Refusal = "insufficient_funds"
	RefusedInvalidPaymentMethod Refusal = "invalid_payment_method"
	RefusedCaptureDeclined      Refusal = "capture_declined"
	RefusedRefundDeclined       Refusal = "refund_declined"
	RefusedCancelDeclined       Refusal = "cancel_declined"
	RefusedAuthorizationExpired Refusal = "authorization_expired"
	RefusedIntentCanceled       Refusal = "intent_canceled"
	RefusedAlreadyCaptured      Refusal = "already_captured"
)

// Intent is the payment intent as the gateway showed it in an answer. Each amount is in minor units and is either 0 or
// the order's total.
type Intent struct {
	ID         string // empty if the intent could not be opened
	Authorized int64  // held at any time; it may stay or fall to 0 once the hold is gone
	Captured   int64  // taken at any time
	Refunded   int64  // given back
}

// Answer is what the gateway said to a call. It may arrive after later calls were made and answered.
type Answer struct {
	OrderID   string
	Operation Operation
	// Refusal is empty when the gateway did what it was asked.
	Refusal Refusal
	Intent  Intent
	At      time.Time
}

// Needs names the order's payment.
func (a Answer) Needs() Needs { return Needs{Payments: []string{a.OrderID}} }

// Decide records what the answer proves. Money that the gateway shows is recorded whichever call it answers, so that
// the outcome of a call whose own answer was lost is learnt from the next one. An answer to a payment that has ended
// changes nothing.
func (a Answer) Decide(till *Till) ([]Event, error) {
	return till.decide(a.OrderID, a.At, func(p *Payment) error {
		if err := a.check(p); err != nil {
			return err
		}
		if p.Ended != "" {
			return nil
		}
		if p.Intent == "" {
			p.Intent = a.Intent.ID
		}
		p.Authorized = max(p.Authorized, a.Intent.Authorized)
		p.Captured = max(p.Captured, a.Intent.Captured)
		p.Refunded = max(p.Refunded, a.Intent.Refunded)

		switch a.Operation {
		case Authorize:
			return p.authorizeAnswered(a)
		case Capture:
			return p.captureAnswered(a)
		case Cancel:
			return p.cancelAnswered(a)
		default:
			return p.refundAnswered(a)
		}
	})
}

// check refuses an answer that cannot be true: to a call that was never due, of another intent, or with an amount that
// was never asked for. What made a call due is never unlearnt, so however late an answer is, its cause still stands.
func (a Answer) check(p *Payment) error {
	var due bool
	switch a.Operation {
	case Authorize:
		due = p.Placed && p.Reserved
	case Capture:
		due = p.Confirmed && p.Authorized > 0
	case Cancel:
		due = p.Cancelled
	case Refund:
		due = p.Cancelled && p.Captured > 0
	default:
		return fmt.Errorf("%w: %q is no operation", ErrInvalid, a.Operation)
	}
	uncalled := p.Claims == 0 || p.Ended == EndedVoided && !p.Fenced && !p.SettledByHand
	if !due || uncalled {
		return fmt.Errorf("%w: an answer to %s, which was never called", ErrContradiction, a.Operation)
	}
	if a.Intent.ID == "" && (a.Refusal == "" || a.Intent != Intent{}) {
		return fmt.Errorf("%w: the intent's id is missing", ErrInvalid)
	}
	if a.Intent.ID != "" && p.Intent != "" && a.Intent.ID != p.Intent {
		return fmt.Errorf("%w: intent %q, was %q", ErrContradiction, a.Intent.ID, p.Intent)
	}
	for _, amount := range [...]int64{a.Intent.Authorized, a.Intent.Captured, a.Intent.Refunded} {
		if amount != 0 && amount != p.Amount {
			return fmt.Errorf("%w: the gateway shows %d, asked for was %d", ErrContradiction, amount, p.Amount)
		}
	}
	if a.Intent.Refunded > a.Intent.Captured {
		return fmt.Errorf("%w: the gateway shows a refund of what was never captured", ErrContradiction)
	}
	if p.Fenced && a.Intent.Captured > 0 {
		return fmt.Errorf("%w: the gateway shows a capture behind the fence", ErrContradiction)
	}
	return nil
}
