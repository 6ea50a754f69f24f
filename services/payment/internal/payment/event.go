package payment

import "time"

// Event is what has happened to a payment. All of them are published.
type Event interface {
	// Stamped says of which payment, as which of its versions, and when.
	Stamped() Stamp
}

// Stamp is the part that all events share.
type Stamp struct {
	OrderID string
	// Version is the payment's version after this event.
	Version int64
	At      time.Time
}

// Stamped returns the stamp itself, so that whatever embeds one is an Event.
func (s Stamp) Stamped() Stamp { return s }

// Authorized says that the order's total is held on the customer's account.
type Authorized struct {
	Stamp
	Amount   int64 // minor units
	Currency string
}

// Declined says that the authorization was refused for good.
type Declined struct {
	Stamp
	Reason DeclineReason
}

// Captured says that the money was taken.
type Captured struct {
	Stamp
	Amount   int64 // minor units
	Currency string
}

// CaptureFailed says that the capture was refused for good.
type CaptureFailed struct {
	Stamp
	Reason CaptureFailure
}

// Voided answers the cancellation of an order whose money was not taken.
type Voided struct {
	Stamp
	Amount   int64 // minor units of the hold set free, 0 if there was none
	Currency string
	ByHand
}

// Refunded answers the cancellation of an order whose money was taken.
type Refunded struct {
	Stamp
	Amount   int64 // minor units
	Currency string
	ByHand
}

// ByHand is empty unless an operator did what the gateway had refused for good.
type ByHand struct {
	Settlement
	// Total of the order in minor units, which may be held even if no hold is known.
	Total int64
}

// Settled reports whether an operator did it.
func (b ByHand) Settled() bool { return b.Operator != "" }

// happened returns the events that lead from one state to the next, in the order in which a reader expects them.
func happened(before, after Payment) []Event {
	var events []Event
	stamp := func() Stamp {
		return Stamp{OrderID: after.OrderID, Version: before.Version + int64(len(events)) + 1, At: after.UpdatedAt}
	}
	if before.Authorized == 0 && after.Authorized > 0 {
		events = append(events, Authorized{Stamp: stamp(), Amount: after.Authorized, Currency: after.Currency})
	}
	if before.Decline == "" && after.Decline != "" {
		events = append(events, Declined{Stamp: stamp(), Reason: after.Decline})
	}
	if before.Captured == 0 && after.Captured > 0 {
		events = append(events, Captured{Stamp: stamp(), Amount: after.Captured, Currency: after.Currency})
	}
	if before.CaptureFailure == "" && after.CaptureFailure != "" {
		events = append(events, CaptureFailed{Stamp: stamp(), Reason: after.CaptureFailure})
	}
	if before.Ended == after.Ended {
		return events
	}
	var byHand ByHand
	if after.SettledByHand {
		byHand = ByHand{after.Settlement, after.Amount}
	}
	switch after.Ended {
	case EndedVoided:
		events = append(events, Voided{stamp(), after.Released(), after.Currency, byHand})
	case EndedRefunded:
		events = append(events, Refunded{stamp(), after.Refunded, after.Currency, byHand})
	}
	return events
}
