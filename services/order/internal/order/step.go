package order

import "time"

// StepName says whose part of the saga a step is.
type StepName string

// The steps of an order, in the order in which Steps returns them.
const (
	StepStock   StepName = "stock"
	StepPayment StepName = "payment"
)

// StepStatus is how far a step has come.
type StepStatus string

// Stock goes from pending to reserved or failed, then to committed or released. Payment goes from pending to authorized
// or declined, then to captured or capture_failed, then to voided or refunded if the order is cancelled.
const (
	StepPending       StepStatus = "pending"
	StepReserved      StepStatus = "reserved"
	StepFailed        StepStatus = "failed"
	StepCommitted     StepStatus = "committed"
	StepReleased      StepStatus = "released"
	StepAuthorized    StepStatus = "authorized"
	StepDeclined      StepStatus = "declined"
	StepCaptured      StepStatus = "captured"
	StepCaptureFailed StepStatus = "capture_failed"
	StepVoided        StepStatus = "voided"
	StepRefunded      StepStatus = "refunded"
)

// Step is how far one service has come with an order.
type Step struct {
	Name   StepName
	Status StepStatus
	// At is when its answer came; for a pending step, when the order was placed.
	At time.Time
}

// Steps returns the state of each service's part. The furthest answer counts, in whichever order they came.
func (o *Order) Steps() []Step {
	return []Step{
		o.furthest(StepStock,
			Step{Status: StepReserved, At: o.Stock.Reserved},
			Step{Status: StepFailed, At: o.Stock.Failed},
			Step{Status: StepCommitted, At: o.Stock.Committed},
			Step{Status: StepReleased, At: o.Stock.Released}),
		o.furthest(StepPayment,
			Step{Status: StepAuthorized, At: o.Payment.Authorized},
			Step{Status: StepDeclined, At: o.Payment.Declined},
			Step{Status: StepCaptured, At: o.Payment.Captured},
			Step{Status: StepCaptureFailed, At: o.Payment.CaptureFailed},
			Step{Status: StepVoided, At: o.Payment.Voided},
			Step{Status: StepRefunded, At: o.Payment.Refunded}),
	}
}

func (o *Order) furthest(name StepName, steps ...Step) Step {
	step := Step{Status: StepPending, At: o.PlacedAt}
	for _, s := range steps {
		if !s.At.IsZero() {
			step = s
		}
	}
	step.Name = name
	return step
}

// Completed reports whether the saga has ended for the present status: a confirmed order is committed and captured, a
// cancelled one is released and voided or refunded. A confirmed order that is cancelled afterwards is open again.
func (o *Order) Completed() bool { return o.Status != StatusPending && len(o.WaitingFor()) == 0 }

// WaitingFor returns the steps whose answer the present status still needs. A pending order always waits for one.
func (o *Order) WaitingFor() []StepName {
	var stock, payment bool
	switch o.Status {
	case StatusPending:
		stock, payment = o.Stock.Reserved.IsZero(), o.Payment.Authorized.IsZero()
	case StatusConfirmed:
		stock, payment = o.Stock.Committed.IsZero(), o.Payment.Captured.IsZero()
	case StatusCancelled:
		stock, payment = o.Stock.Released.IsZero(), o.Payment.Voided.IsZero() && o.Payment.Refunded.IsZero()
	}
	var waiting []StepName
	if stock {
		waiting = append(waiting, StepStock)
	}
	if payment {
		waiting = append(waiting, StepPayment)
	}
	return waiting
}

// OpenSince is when the present status began, as long as its saga has not ended; the zero time afterwards.
func (o *Order) OpenSince() time.Time {
	if o.Completed() {
		return time.Time{}
	}
	switch o.Status {
	case StatusConfirmed:
		return o.ConfirmedAt
	case StatusCancelled:
		return o.CancelledAt
	default:
		return o.PlacedAt
	}
}

// Missing names the events that the present status still waits for, in the words of the contract.
func (o *Order) Missing() []string {
	var missing []string
	for _, step := range o.WaitingFor() {
		missing = append(missing, o.missing(step))
	}
	return missing
}

func (o *Order) missing(step StepName) string {
	switch {
	case o.Status == StatusPending && step == StepStock:
		return StockReserved{}.Type()
	case o.Status == StatusPending:
		return PaymentAuthorized{}.Type()
	case o.Status == StatusConfirmed && step == StepStock:
		return StockCommitted{}.Type()
	case o.Status == StatusConfirmed:
		return PaymentCaptured{}.Type()
	case step == StepStock:
		return StockReleased{}.Type()
	case o.Payment.Captured.IsZero():
		return PaymentVoided{}.Type()
	default:
		return PaymentRefunded{}.Type()
	}
}
