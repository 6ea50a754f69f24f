package payment

// Operation is one of the things that the gateway can be asked to do with a payment intent.
type Operation string

// The operations.
const (
	Authorize Operation = "authorize" // hold the amount
	Capture   Operation = "capture"   // take what is held
	Cancel    Operation = "cancel"    // set the hold free and refuse whatever comes later
	Refund    Operation = "refund"    // give back what was taken
)

// Call is a request to the gateway. Opening the intent under the order id comes first each time and is idempotent.
type Call struct {
	OrderID   string
	Operation Operation
	Amount    int64 // minor units
	Currency  string
	Method    string // personal data: never log it
}

// IdempotencyKey is the same for every attempt at the call, so that the gateway makes it once.
func (c Call) IdempotencyKey() string { return c.OrderID + "/" + string(c.Operation) }

// Next returns the call to make now, or false if there is none. It holds no matter which earlier calls are still
// unanswered, but only one may be outstanding: ask while no lease on the payment is live.
func (p *Payment) Next() (Call, bool) {
	operation, due := p.due()
	if !due {
		return Call{}, false
	}
	return Call{
		OrderID:   p.OrderID,
		Operation: operation,
		Amount:    p.Amount,
		Currency:  p.Currency,
		Method:    p.Method,
	}, true
}

func (p *Payment) due() (Operation, bool) {
	switch {
	case p.Ended != "":
		return "", false
	case p.Cancelled && p.Captured > 0:
		return Refund, p.RefundRefused == ""
	case p.Cancelled:
		return Cancel, p.CancelRefused == ""
	case p.Authorized > 0:
		return Capture, p.Confirmed && p.Captured == 0 && p.CaptureFailure == ""
	default:
		return Authorize, p.Placed && p.Reserved && p.Decline == ""
	}
}
