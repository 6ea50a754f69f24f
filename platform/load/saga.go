package load

import "time"

// Step is an event of a saga.
type Step int

// The steps of an order that is confirmed, in their order, then those of one that is cancelled.
const (
	OrderPlaced Step = iota
	StockReserved
	PaymentAuthorized
	OrderConfirmed
	StockCommitted
	PaymentCaptured

	OrderCancelled
	StockReleased
	PaymentVoided
	PaymentRefunded

	steps
)

// Confirmed is the number of steps of an order that is confirmed.
const Confirmed = OrderCancelled

var stepOf = map[string]Step{
	"quadrille.order.OrderPlaced":         OrderPlaced,
	"quadrille.inventory.StockReserved":   StockReserved,
	"quadrille.payment.PaymentAuthorized": PaymentAuthorized,
	"quadrille.order.OrderConfirmed":      OrderConfirmed,
	"quadrille.inventory.StockCommitted":  StockCommitted,
	"quadrille.payment.PaymentCaptured":   PaymentCaptured,
	"quadrille.order.OrderCancelled":      OrderCancelled,
	"quadrille.inventory.StockReleased":   StockReleased,
	"quadrille.payment.PaymentVoided":     PaymentVoided,
	"quadrille.payment.PaymentRefunded":   PaymentRefunded,
}

// Moment of an event: when what led to it arrived at its service, and when the relay handed it to the producer, which
// is after the commit, to the millisecond. Both are zero if it did not happen.
type Moment struct{ Arrived, Published time.Time }

// Saga is what the topics say of one order.
type Saga struct {
	At [steps]Moment
	// Reason of a cancellation; empty unless the Watcher can tell.
	Reason string
}

// Decided is when the order was first confirmed or cancelled; zero if it was not.
func (s *Saga) Decided() time.Time {
	confirmed, cancelled := s.At[OrderConfirmed].Published, s.At[OrderCancelled].Published
	if confirmed.IsZero() || !cancelled.IsZero() && cancelled.Before(confirmed) {
		return cancelled
	}
	return confirmed
}

// Completed is when the later of the two answers to the order's present status was published: stock committed and
// payment captured, or stock released and payment voided or refunded. It is zero if one is missing.
func (s *Saga) Completed() time.Time {
	if s.At[OrderCancelled].Published.IsZero() {
		return both(s.At[StockCommitted].Published, s.At[PaymentCaptured].Published)
	}
	paid := s.At[PaymentVoided].Published
	if paid.IsZero() {
		paid = s.At[PaymentRefunded].Published
	}
	return both(s.At[StockReleased].Published, paid)
}

// both returns the later one, zero if either is.
func both(a, b time.Time) time.Time {
	switch {
	case a.IsZero() || b.IsZero():
		return time.Time{}
	case a.After(b):
		return a
	}
	return b
}

// Outcome is pending, confirmed, cancelled, or cancelled with its reason: "cancelled: out_of_stock".
func (s *Saga) Outcome() string {
	switch {
	case !s.At[OrderCancelled].Published.IsZero() && s.Reason != "":
		return "cancelled: " + s.Reason
	case !s.At[OrderCancelled].Published.IsZero():
		return "cancelled"
	case !s.At[OrderConfirmed].Published.IsZero():
		return "confirmed"
	}
	return "pending"
}
