package order

import "time"

// Status of an order.
type Status string

// An order starts pending, and may be cancelled even when it is confirmed.
const (
	StatusPending   Status = "pending"
	StatusConfirmed Status = "confirmed"
	StatusCancelled Status = "cancelled"
)

// Reason of a cancellation, in the words of the contract.
type Reason string

// The reasons of Cancelled.
const (
	ReasonOutOfStock      Reason = "out_of_stock"
	ReasonPaymentDeclined Reason = "payment_declined"
	ReasonPaymentFailed   Reason = "payment_failed"
	ReasonTimedOut        Reason = "timed_out"
	ReasonCustomerRequest Reason = "customer_request"
)

// Line is a part of an order, at the price of the moment it was placed.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	// UnitPrice is in minor units of the order's currency.
	UnitPrice int64 `json:"unit_price"`
}

// Order is the fold of its events.
type Order struct {
	ID string
	// CustomerID, Email and PaymentMethod are personal data: they are never logged.
	CustomerID, Email, PaymentMethod string
	Lines                            []Line
	// Total is in minor units of Currency (ISO 4217).
	Total    int64
	Currency string
	// SalesChannel is where the customer came from, or empty.
	SalesChannel string `json:",omitzero"`

	Status Status
	// Reason and Detail, the customer's own words, are empty unless Status is cancelled.
	Reason Reason `json:",omitzero"`
	Detail string `json:",omitzero"`

	PlacedAt time.Time
	// Deadline is when TimedOut falls due, unless the order is no longer pending.
	Deadline time.Time
	// ConfirmedAt and CancelledAt are zero until it happens.
	ConfirmedAt, CancelledAt time.Time `json:",omitzero"`
	UpdatedAt                time.Time

	Stock   StockFacts   `json:",omitzero"`
	Payment PaymentFacts `json:",omitzero"`

	// Version is the number of its events.
	Version int64
	// Stored is how many of them are in the database, and Snapshot how many the snapshot stands for that it was loaded
	// from. Apply leaves both alone, and they are no part of the encoded state.
	Stored, Snapshot int64 `json:"-"`
}

// StockFacts are when inventory's answers came, zero for those that did not.
type StockFacts struct {
	Reserved, Failed, Committed, Released time.Time `json:",omitzero"`
}

// PaymentFacts are when payment's answers came, zero for those that did not.
type PaymentFacts struct {
	Authorized, Declined, Captured, CaptureFailed, Voided, Refunded time.Time `json:",omitzero"`
	// SettledByHand is true if an operator did what the gateway had refused for good.
	SettledByHand bool `json:",omitzero"`
}

// Apply folds the next event of the order into it.
func (o *Order) Apply(e Event) {
	head := e.Header()
	o.Version, o.UpdatedAt = head.Version, head.At
	switch e := e.(type) {
	case Placed:
		o.ID, o.Status, o.PlacedAt, o.Deadline = head.OrderID, StatusPending, head.At, e.Deadline
		o.CustomerID, o.Email, o.PaymentMethod = e.CustomerID, e.Email, e.PaymentMethod
		o.Lines, o.Total, o.Currency, o.SalesChannel = e.Lines, e.Total, e.Currency, e.SalesChannel
	case Confirmed:
		o.Status, o.ConfirmedAt = StatusConfirmed, head.At
	case Cancelled:
		o.Status, o.CancelledAt, o.Reason, o.Detail = StatusCancelled, head.At, e.Reason, e.Detail
	case PaymentVoided:
		o.Payment.SettledByHand = o.Payment.SettledByHand || e.SettledByHand
	case PaymentRefunded:
		o.Payment.SettledByHand = o.Payment.SettledByHand || e.SettledByHand
	}
	if at := o.fact(e); at != nil {
		*at = head.At
	}
}

// fact returns where the order keeps the time of an answer, nil if e is none.
func (o *Order) fact(e Event) *time.Time {
	switch e.(type) {
	case StockReserved:
		return &o.Stock.Reserved
	case StockReservationFailed:
		return &o.Stock.Failed
	case StockCommitted:
		return &o.Stock.Committed
	case StockReleased:
		return &o.Stock.Released
	case PaymentAuthorized:
		return &o.Payment.Authorized
	case PaymentDeclined:
		return &o.Payment.Declined
	case PaymentCaptured:
		return &o.Payment.Captured
	case PaymentCaptureFailed:
		return &o.Payment.CaptureFailed
	case PaymentVoided:
		return &o.Payment.Voided
	case PaymentRefunded:
		return &o.Payment.Refunded
	}
	return nil
}

// raise gives an event its place in the stream and folds it.
func (o *Order) raise(at time.Time, e Event) Event {
	e = e.with(Head{OrderID: o.ID, Version: o.Version + 1, At: later(at, o.UpdatedAt)})
	o.Apply(e)
	return e
}

// settle raises all that follows from the facts.
func (o *Order) settle(at time.Time) []Event {
	var events []Event
	for e := o.next(); e != nil; e = o.next() {
		events = append(events, o.raise(at, e))
	}
	return events
}

// next returns what follows from the facts, nil if nothing does.
func (o *Order) next() Event {
	switch o.Status {
	case StatusPending:
		switch {
		case !o.Stock.Failed.IsZero():
			return o.cancelled(ReasonOutOfStock, "")
		case !o.Payment.Declined.IsZero():
			return o.cancelled(ReasonPaymentDeclined, "")
		case !o.Stock.Reserved.IsZero() && !o.Payment.Authorized.IsZero():
			return Confirmed{Currency: o.Currency, Total: o.Total}
		}
	case StatusConfirmed:
		if !o.Payment.CaptureFailed.IsZero() {
			return o.cancelled(ReasonPaymentFailed, "")
		}
	}
	return nil
}

func (o *Order) cancelled(reason Reason, detail string) Event {
	return Cancelled{Reason: reason, Detail: detail, Currency: o.Currency, Total: o.Total}
}
