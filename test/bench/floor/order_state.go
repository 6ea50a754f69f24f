package main

import "time"

// line of an order. Prices are in minor units.
type line struct {
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
	UnitPrice int64  `json:"unit_price,omitempty"`
}

// purchase is what a customer asks for.
type purchase struct {
	CustomerID    string `json:"customer_id"`
	Email         string `json:"email"`
	PaymentMethod string `json:"payment_method"`
	Lines         []line `json:"lines"`
}

// orderEvent is any of an order's, in the text that the service keeps of it.
type orderEvent struct {
	OrderID       string     `json:"order_id"`
	Version       int64      `json:"version"`
	At            time.Time  `json:"at"`
	CustomerID    string     `json:"customer_id,omitempty"`
	Email         string     `json:"email,omitempty"`
	PaymentMethod string     `json:"payment_method,omitempty"`
	Amount        int64      `json:"amount,omitempty"`
	Currency      string     `json:"currency,omitempty"`
	Total         int64      `json:"total,omitempty"`
	Lines         []line     `json:"lines,omitempty"`
	Deadline      *time.Time `json:"deadline,omitempty"`
}

// progress is when each step was taken, in microseconds.
type progress struct {
	Updated    int64 `json:"updated"`
	Confirmed  int64 `json:"confirmed,omitempty"`
	Reserved   int64 `json:"stock_reserved,omitempty"`
	Committed  int64 `json:"stock_committed,omitempty"`
	Authorized int64 `json:"payment_authorized,omitempty"`
	Captured   int64 `json:"payment_captured,omitempty"`
}

// orderState is what the events of an order fold into.
type orderState struct {
	first    orderEvent
	version  int64
	since    time.Time // of its present status
	progress progress
	text     string // of the first event
	cause    *message
	isNew    bool
}

func (o *orderState) apply(kind string, e orderEvent) {
	at := e.At.UnixMicro()
	switch kind {
	case "OrderPlaced":
		o.first, o.since = e, e.At
	case "StockReserved":
		o.progress.Reserved = at
	case "PaymentAuthorized":
		o.progress.Authorized = at
	case "OrderConfirmed":
		o.progress.Confirmed, o.since = at, e.At
	case "StockCommitted":
		o.progress.Committed = at
	case "PaymentCaptured":
		o.progress.Captured = at
	}
	o.version, o.progress.Updated = e.Version, at
}

func (o *orderState) status() string {
	if o.progress.Confirmed > 0 {
		return "confirmed"
	}
	return "pending"
}

func (o *orderState) deadline() *time.Time {
	if o.progress.Confirmed > 0 {
		return nil
	}
	return o.first.Deadline
}

func (o *orderState) openSince() *time.Time {
	if o.progress.Committed > 0 && o.progress.Captured > 0 {
		return nil
	}
	return &o.since
}
