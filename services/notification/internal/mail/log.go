// Package mail is the domain of the notification service: what is known of one order as far as its customer is told of
// it, which mail follows from that, and what became of each. It is pure: no clock, database or network.
//
// A message records a fact, and facts are only ever added. What follows from all facts together is settled after each
// message, so that every order of arrival of the topics leads to the same mails in the same order, and a duplicate
// changes nothing. The mails of an order go out one after another: Log.Next names the one whose turn it is.
package mail

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

// Log is the aggregate: the mails of one order, and what they have to say. Amounts are in minor units of Currency.
type Log struct {
	OrderID string
	// Version rises by one with each event, and by one for a change without an event.
	Version int64
	// Stored is the version loaded from the database, 0 for a new log. Messages never touch it.
	Stored int64
	// UpdatedAt is when the last change happened. It never decreases.
	UpdatedAt time.Time

	// Total and Currency come with whichever event arrives first; the later ones must agree.
	Total    int64
	Currency string
	// Order is nil until it is known that the order was placed. Every mail waits for it.
	Order *Order

	Confirmed bool
	Cancelled bool
	Reason    Reason // why it was cancelled
	Detail    string // the customer's own words. Personal data: never log it
	Refunded  int64  // given back

	// Mails by Kind.Index.
	Mails [Kinds]Mail
}

// Order is what a customer has placed. It is never changed.
type Order struct {
	Address string // where the customer is told. Personal data: never log it
	// Domain ends the Message-IDs. It was the sender's when the order was placed, and stays when the sender moves.
	Domain string
	Lines  []Line
}

// Line is one product of an order.
type Line struct {
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
	UnitPrice int64  `json:"unit_price"` // minor units
}

// Reason says why an order was cancelled, in the words of the contract. An unlisted one is a reason like any other.
type Reason string

// The reasons.
const (
	ReasonUnknown         Reason = "unknown"
	ReasonOutOfStock      Reason = "out_of_stock"
	ReasonPaymentDeclined Reason = "payment_declined"
	ReasonPaymentFailed   Reason = "payment_failed"
	ReasonTimedOut        Reason = "timed_out"
	ReasonCustomerRequest Reason = "customer_request"
)

// Mail is what became of one mail.
type Mail struct {
	// CreatedAt is when the reason for the mail was learnt. Zero: there is none so far.
	CreatedAt time.Time
	// DueAt is when its turn came. Zero: it waits for a fact, or for the mail before it.
	DueAt time.Time
	// Outcome is empty until it is known, and then stays.
	Outcome Outcome
	EndedAt time.Time
}

// Outcome says how a mail ended.
type Outcome string

// The outcomes.
const (
	Sent    Outcome = "sent"    // the mail server has taken it
	Refused Outcome = "refused" // the mail server will never take it
	Expired Outcome = "expired" // it could not be sent in time
)

// Status sums a mail up in one word.
type Status string

// The statuses.
const (
	StatusWaiting Status = "waiting" // for the order's address, for a fact, or for the mail before it
	StatusPending Status = "pending" // it is being sent
	StatusSent    Status = "sent"
	StatusFailed  Status = "failed"
)

// Status returns how far the mail has come.
func (m Mail) Status() Status {
	switch {
	case m.Outcome == Sent:
		return StatusSent
	case m.Outcome != "":
		return StatusFailed
	case !m.DueAt.IsZero():
		return StatusPending
	default:
		return StatusWaiting
	}
}

// MessageID of a mail, without angle brackets. It is empty until it is known that the order was placed.
func (l *Log) MessageID(k Kind) string {
	if l.Order == nil {
		return ""
	}
	return l.OrderID + "." + string(k) + "@" + l.Order.Domain
}
