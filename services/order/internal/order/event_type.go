package order

// The services that answer.
const (
	inventory = "inventory"
	payment   = "payment"
)

// Events are values, so that one handed out cannot be changed afterwards: with returns a copy.

func (e Placed) with(h Head) Event                 { e.Head = h; return e }
func (e Confirmed) with(h Head) Event              { e.Head = h; return e }
func (e Cancelled) with(h Head) Event              { e.Head = h; return e }
func (e StockReserved) with(h Head) Event          { e.Head = h; return e }
func (e StockReservationFailed) with(h Head) Event { e.Head = h; return e }
func (e StockCommitted) with(h Head) Event         { e.Head = h; return e }
func (e StockReleased) with(h Head) Event          { e.Head = h; return e }
func (e PaymentAuthorized) with(h Head) Event      { e.Head = h; return e }
func (e PaymentDeclined) with(h Head) Event        { e.Head = h; return e }
func (e PaymentCaptured) with(h Head) Event        { e.Head = h; return e }
func (e PaymentCaptureFailed) with(h Head) Event   { e.Head = h; return e }
func (e PaymentVoided) with(h Head) Event          { e.Head = h; return e }
func (e PaymentRefunded) with(h Head) Event        { e.Head = h; return e }

// Type is part of the stored format.
func (Placed) Type() string { return "OrderPlaced" }

// Type is part of the stored format.
func (Confirmed) Type() string { return "OrderConfirmed" }

// Type is part of the stored format.
func (Cancelled) Type() string { return "OrderCancelled" }

// Type is part of the stored format.
func (StockReserved) Type() string { return "StockReserved" }

// Type is part of the stored format.
func (StockReservationFailed) Type() string { return "StockReservationFailed" }

// Type is part of the stored format.
func (StockCommitted) Type() string { return "StockCommitted" }

// Type is part of the stored format.
func (StockReleased) Type() string { return "StockReleased" }

// Type is part of the stored format.
func (PaymentAuthorized) Type() string { return "PaymentAuthorized" }

// Type is part of the stored format.
func (PaymentDeclined) Type() string { return "PaymentDeclined" }

// Type is part of the stored format.
func (PaymentCaptured) Type() string { return "PaymentCaptured" }

// Type is part of the stored format.
func (PaymentCaptureFailed) Type() string { return "PaymentCaptureFailed" }

// Type is part of the stored format.
func (PaymentVoided) Type() string { return "PaymentVoided" }

// Type is part of the stored format.
func (PaymentRefunded) Type() string { return "PaymentRefunded" }

// By names the service that gives the answer.
func (StockReserved) By() string { return inventory }

// By names the service that gives the answer.
func (StockReservationFailed) By() string { return inventory }

// By names the service that gives the answer.
func (StockCommitted) By() string { return inventory }

// By names the service that gives the answer.
func (StockReleased) By() string { return inventory }

// By names the service that gives the answer.
func (PaymentAuthorized) By() string { return payment }

// By names the service that gives the answer.
func (PaymentDeclined) By() string { return payment }

// By names the service that gives the answer.
func (PaymentCaptured) By() string { return payment }

// By names the service that gives the answer.
func (PaymentCaptureFailed) By() string { return payment }

// By names the service that gives the answer.
func (PaymentVoided) By() string { return payment }

// By names the service that gives the answer.
func (PaymentRefunded) By() string { return payment }
