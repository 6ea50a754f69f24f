package order

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

func (StockReserved) answer()          {}
func (StockReservationFailed) answer() {}
func (StockCommitted) answer()         {}
func (StockReleased) answer()          {}
func (PaymentAuthorized) answer()      {}
func (PaymentDeclined) answer()        {}
func (PaymentCaptured) answer()        {}
func (PaymentCaptureFailed) answer()   {}
func (PaymentVoided) answer()          {}
func (PaymentRefunded) answer()        {}
