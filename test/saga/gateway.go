package saga

import (
	"maps"

	"github.com/quadrille-platform/quadrille/services/payment"
)

// gateway is a model of the payment gateway: final answers are stored by operation and order, and cancel is a fence.
type gateway map[string]account

type account struct {
	Method   string
	Intent   payment.Intent
	Canceled bool
	Answers  string
	Captures int
}

func (g gateway) clone() gateway { return maps.Clone(g) }

// make carries out a call, which under one idempotency key has the same outcome each time.
func (g gateway) make(call payment.Call) payment.Answer {
	a := g[call.OrderID]
	a.Method = call.Method
	a.Intent.ID = "pi-" + call.OrderID
	answer := payment.Answer{OrderID: call.OrderID, Operation: call.Operation}
	switch call.Operation {
	case "authorize":
		switch {
		case a.Canceled:
			answer.Refusal = "intent_canceled"
		case a.Method == "tok_declined":
			answer.Refusal = "card_declined"
		default:
			a.Intent.Authorized = call.Amount
		}
	case "capture":
		switch {
		case a.Canceled:
			answer.Refusal = "intent_canceled"
		case a.Method == "tok_capture_declined", a.Method == "tok_cancel_declined":
			answer.Refusal = "capture_declined"
		case a.Intent.Captured == 0:
			a.Intent.Captured = call.Amount
			a.Captures++
		}
	case "cancel":
		switch {
		case a.Intent.Captured > 0:
			answer.Refusal = "already_captured"
		case a.Method == "tok_cancel_declined":
			answer.Refusal = "cancel_declined"
		default:
			a.Canceled = true
		}
	case "refund":
		if a.Method == "tok_refund_declined" {
			answer.Refusal = "refund_declined"
		} else {
			a.Intent.Refunded = a.Intent.Captured
		}
	}
	answer.Intent = a.Intent
	g[call.OrderID] = a
	return answer
}
