package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// Payment as clients see it. The payment method is not shown.
type Payment struct {
	OrderID        string                 `json:"order_id" format:"uuid"`
	Status         payment.Status         `json:"status" enum:"pending,authorized,declined,captured,capture_failed,voided,refunded"`
	Amount         int64                  `json:"amount" doc:"The order's total in minor units, such as cents; 0 until an event of the order has told it"`
	Currency       httpapi.CurrencyCode   `json:"currency,omitempty" doc:"ISO 4217 code; absent until an event of the order has told it"`
	Authorized     int64                  `json:"authorized" doc:"Held on the customer's account, whether or not the hold still stands"`
	Captured       int64                  `json:"captured" doc:"Taken"`
	Refunded       int64                  `json:"refunded" doc:"Given back"`
	DeclineReason  payment.DeclineReason  `json:"decline_reason,omitempty" doc:"Why the authorization was refused" enum:"unknown,card_declined,insufficient_funds"`
	CaptureFailure payment.CaptureFailure `json:"capture_failure,omitempty" doc:"Why the capture was refused" enum:"unknown,declined,authorization_expired"`
	NextCall       payment.Operation      `json:"next_call,omitempty" doc:"What the gateway is asked at present" enum:"authorize,capture,cancel,refund"`
	Calls          int64                  `json:"calls" doc:"How many calls to the gateway were begun"`
	Stuck          bool                   `json:"stuck" doc:"The order is cancelled, but the gateway refuses for good to undo its payment: an operator has to"`
	Version        int64                  `json:"version"`
	UpdatedAt      time.Time              `json:"updated_at"`
}

func paymentOf(p *payment.Payment) Payment {
	next, _ := p.Next()
	return Payment{
		OrderID: p.OrderID, Status: p.Status(), Amount: p.Amount, Currency: httpapi.CurrencyCode(p.Currency),
		Authorized: p.Authorized, Captured: p.Captured, Refunded: p.Refunded,
		DeclineReason: p.Decline, CaptureFailure: p.CaptureFailure, NextCall: next.Operation, Calls: p.Claims,
		Stuck: p.Stuck(), Version: p.Version, UpdatedAt: p.UpdatedAt,
	}
}

type orderID struct {
	OrderID string `path:"order_id" format:"uuid"`
}

type paymentBody struct{ Body Payment }

func (a *API) getPayment(ctx context.Context, in *orderID) (*paymentBody, error) {
	p, err := store.Payment(ctx, a.parts.DB, in.OrderID)
	if err != nil {
		return nil, problem(err)
	}
	return &paymentBody{paymentOf(p)}, nil
}
