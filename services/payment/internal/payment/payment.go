// Package payment is the domain of the payment service: what is known of the payment of one order, which call to the
// payment gateway follows from it, and what is told to the other services. It is pure: no clock, database or network.
//
// A message records a fact, and facts are only ever added. What follows from all facts together is settled after each
// message, so that every order of arrival leads to the same end, a step overtaken by its cancellation included, and a
// duplicate changes nothing. Payment.Next chooses the next call from the facts alone.
//
// The gateway's cancel is a fence: once acknowledged, no call that is still on its way can take or hold money. That is
// why a payment that was ever claimed for a call is voided only after the fence stands.
package payment

import (
	"errors"
	"time"
)

var (
	// ErrInvalid refuses a message that no sender could have meant: a missing id, an amount that is not positive.
	ErrInvalid = errors.New("invalid message")
	// ErrContradiction refuses a message that cannot be true together with what is already known.
	ErrContradiction = errors.New("contradicts what is known")
)

// Ending says how the payment of a cancelled order was undone. It is empty while it was not.
type Ending string

// The endings.
const (
	EndedVoided   Ending = "voided"
	EndedRefunded Ending = "refunded"
)

// Payment is the aggregate: everything known about paying one order. Amounts are in minor units of Currency and are
// either 0 or the whole of Amount, for nothing is ever held, taken or given back in part.
type Payment struct {
	OrderID string
	// Version rises by one with each event, and by one for a change without an event.
	Version int64
	// Stored is the version loaded from the database, 0 for a new payment. Messages never touch it.
	Stored int64
	// UpdatedAt is when the last change happened. It never decreases.
	UpdatedAt time.Time
	// Claims is how many gateway calls were ever claimed for this payment, answered or not. It is loaded, under the
	// lock that claiming takes, and never changed by a message.
	Claims int64

	// Amount and Currency come with whichever event of the order arrives first; the later ones must agree.
	Amount   int64
	Currency string
	// Method is the customer's payment token, known once Placed. Personal data: never log it.
	Method string

	Placed    bool // the order wants to be paid
	Reserved  bool // its stock is held
	Confirmed bool // the money may be taken
	Cancelled bool // whatever was done must be undone; outweighs the three above

	Intent     string // the gateway's id of the payment intent
	Authorized int64  // held, whether or not the hold still stands
	Captured   int64  // taken
	Refunded   int64  // given back

	Decline        DeclineReason  // why the authorization was refused
	CaptureFailure CaptureFailure // why the capture was refused
	Fenced         bool           // the gateway holds nothing and never will again
	Expired        bool           // the hold ran out by itself
	CancelRefused  Refusal        // why the gateway will never cancel
	RefundRefused  Refusal        // why the gateway will never refund

	Ended Ending
	// SettledByHand is true if an operator ended it, see Settle.
	SettledByHand bool
	// Settlement is set by the message that ends the payment and goes into its event. It is kept in the ledger only.
	Settlement Settlement
}

// Status sums the payment up in one word.
type Status string

// A payment starts as pending.
const (
	StatusPending       Status = "pending"
	StatusAuthorized    Status = "authorized"
	StatusDeclined      Status = "declined"
	StatusCaptured      Status = "captured"
	StatusCaptureFailed Status = "capture_failed"
	StatusVoided        Status = "voided"
	StatusRefunded      Status = "refunded"
)

// Status returns how far the payment has come.
func (p *Payment) Status() Status {
	switch {
	case p.Ended != "":
		return Status(p.Ended)
	case p.Captured > 0:
		return StatusCaptured
	case p.CaptureFailure != "":
		return StatusCaptureFailed
	case p.Authorized > 0:
		return StatusAuthorized
	case p.Decline != "":
		return StatusDeclined
	default:
		return StatusPending
	}
}

// Stuck reports whether the order is cancelled but the gateway refuses for good to give the money or the hold back.
// Only an operator can end such a payment.
func (p *Payment) Stuck() bool {
	_, due := p.Next()
	return p.Cancelled && p.Ended == "" && !due
}

// Released is the hold that voiding set free: 0 if nothing was held, or if the hold had already run out.
func (p *Payment) Released() int64 {
	if p.Ended != EndedVoided || p.Expired {
		return 0
	}
	return p.Authorized
}
