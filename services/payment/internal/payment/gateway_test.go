package payment_test

import "github.com/quadrille-platform/quadrille/services/payment/internal/payment"

// The payment tokens of the model gateway, each one way to go wrong.
const (
	visa            = "visa"
	declined        = "declined"
	captureDeclined = "capture_declined"
	expired         = "expired" // the hold runs out at once
	cancelDeclined  = "cancel_declined"
	refundDeclined  = "refund_declined"
	silent          = "silent" // authorize is never answered
	unknownMethod   = "unknown_method"

	// Two that no gateway may have: the tests must notice.
	leaky     = "leaky"     // the fence does not hold
	forgetful = "forgetful" // says that it gave back, but did not
)

// gateway is a model of the payment gateway for one intent. It is comparable, so that a search can remember it.
type gateway struct {
	method   string
	forgets  bool // a cancelled intent shows no hold any more
	current  bool // a repeated call gets the stored verdict with the intent as it is now, not as it was
	intent   payment.Intent
	canceled bool
	// answers are stored by operation, that is by idempotency key.
	answers [4]payment.Answer
}

// operations gives each operation its place in the arrays of the model.
var operations = [4]payment.Operation{payment.Authorize, payment.Capture, payment.Cancel, payment.Refund}

func place(o payment.Operation) int {
	for i, known := range operations {
		if o == known {
			return i
		}
	}
	panic("no such operation: " + string(o))
}

// make carries out a call. It never answers if the second result is false.
func (g *gateway) make(call payment.Call) (payment.Answer, bool) {
	if g.method == silent && call.Operation == payment.Authorize {
		return payment.Answer{}, false
	}
	stored := &g.answers[place(call.Operation)]
	if stored.Operation == "" {
		refusal := g.carryOut(call)
		*stored = payment.Answer{
			OrderID: call.OrderID, Operation: call.Operation, Refusal: refusal, Intent: g.intent, At: at(10),
		}
	}
	answer := *stored
	if g.current {
		answer.Intent = g.intent
	}
	if g.method == forgetful {
		g.intent.Refunded = 0
	}
	return answer, true
}

func (g *gateway) carryOut(call payment.Call) payment.Refusal {
	if g.method == unknownMethod {
		return payment.RefusedInvalidPaymentMethod
	}
	g.intent.ID = "pi_" + call.OrderID
	switch call.Operation {
	case payment.Authorize:
		return g.authorize(call.Amount)
	case payment.Capture:
		return g.capture(call.Amount)
	case payment.Cancel:
		return g.cancel()
	default:
		return g.refund()
	}
}

func (g *gateway) authorize(amount int64) payment.Refusal {
	switch {
	case g.canceled && g.method != leaky:
		return payment.RefusedIntentCanceled
	case g.method == declined:
		return payment.RefusedInsufficientFunds
	}
	g.intent.Authorized = amount
	return ""
}

func (g *gateway) capture(amount int64) payment.Refusal {
	switch {
	case g.canceled && g.method != leaky:
		return payment.RefusedIntentCanceled
	case g.intent.Authorized == 0:
		return "not_authorized"
	case g.method == expired:
		return payment.RefusedAuthorizationExpired
	case g.method == captureDeclined:
		return payment.RefusedCaptureDeclined
	}
	g.intent.Captured = amount
	return ""
}

func (g *gateway) cancel() payment.Refusal {
	switch {
	case g.intent.Captured > 0:
		return payment.RefusedAlreadyCaptured
	case g.method == cancelDeclined:
		return "cancel_declined"
	case g.method == expired && g.intent.Authorized > 0:
		g.canceled = true
		return payment.RefusedAuthorizationExpired
	}
	g.canceled = true
	if g.forgets {
		g.intent.Authorized = 0
	}
	return ""
}

func (g *gateway) refund() payment.Refusal {
	switch {
	case g.intent.Captured == 0:
		return "nothing_to_refund"
	case g.method == refundDeclined:
		return payment.RefusedRefundDeclined
	}
	g.intent.Refunded = g.intent.Captured
	return ""
}
