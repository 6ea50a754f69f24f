package order

import "time"

// Event is something that has happened to an order. Placed, Confirmed and Cancelled are published; the answers of other
// services stay private.
type Event interface {
	// Header returns the place of the event in its stream.
	Header() Head
	// Type is the name under which the event is stored. It never changes.
	Type() string

	with(Head) Event
}

// Answer is an event that records what another service said. See Answered.
type Answer interface {
	Event
	// By names the service.
	By() string
}

// Head is what all events share.
type Head struct {
	OrderID string `json:"order_id"`
	// Version is the order's after the event: the first has 1, and there are no gaps.
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
}

// Header returns h.
func (h Head) Header() Head { return h }

// Placed starts an order.
type Placed struct {
	Head
	CustomerID    string    `json:"customer_id"`
	Email         string    `json:"email"`
	PaymentMethod string    `json:"payment_method"`
	Currency      string    `json:"currency"`
	Total         int64     `json:"total"`
	Lines         []Line    `json:"lines"`
	Deadline      time.Time `json:"deadline"`
	// SalesChannel is where the customer came from, or empty.
	SalesChannel string `json:"sales_channel,omitempty"`
}

// Confirmed says that the stock is reserved and the payment authorized.
type Confirmed struct {
	Head
	Currency string `json:"currency"`
	Total    int64  `json:"total"`
}

// Cancelled asks the others to undo what they did.
type Cancelled struct {
	Head
	Reason Reason `json:"reason"`
	// Detail is the customer's own words, personal data, or empty.
	Detail   string `json:"detail,omitempty"`
	Currency string `json:"currency"`
	Total    int64  `json:"total"`
}

// StockReserved records that all lines are held.
type StockReserved struct{ Head }

// StockReservationFailed records that nothing is held.
type StockReservationFailed struct {
	Head
	Reason    string     `json:"reason"`
	Shortages []Shortage `json:"shortages,omitempty"`
}

// Shortage is a line that could not be held.
type Shortage struct {
	SKU       string `json:"sku"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// StockCommitted records that what was held is sold.
type StockCommitted struct{ Head }

// StockReleased records that a cancellation is done with in inventory.
type StockReleased struct {
	Head
	// Lines went back, none if nothing was held.
	Lines []StockLine `json:"lines,omitempty"`
}

// StockLine is a quantity of one sku.
type StockLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// PaymentAuthorized records that the amount is held.
type PaymentAuthorized struct {
	Head
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// PaymentDeclined records that it is not.
type PaymentDeclined struct {
	Head
	Reason string `json:"reason"`
}

// PaymentCaptured records that the amount was taken.
type PaymentCaptured struct {
	Head
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// PaymentCaptureFailed records that it was refused for good.
type PaymentCaptureFailed struct {
	Head
	Reason string `json:"reason"`
}

// PaymentVoided records that a cancellation is done with in payment, nothing having been taken.
type PaymentVoided struct {
	Head
	// Amount is the hold released, 0 if there was none.
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	SettledByHand bool   `json:"settled_by_hand,omitempty"`
}

// PaymentRefunded records that a cancellation is done with in payment, what was taken having been given back.
type PaymentRefunded struct {
	Head
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	SettledByHand bool   `json:"settled_by_hand,omitempty"`
}
