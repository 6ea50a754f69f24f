package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// Payment as clients see it. The payment method is not shown. Amounts are in minor units.
type Payment struct {
	OrderID string         `json:"order_id" format:"uuid"`
	Status  payment.Status `json:"status" enum:"pending,authorized,declined,captured,capture_failed,voided,refunded"`

	Amount   int64                `json:"amount" doc:"The order's total in minor units; 0 until it is known"`
	Currency httpapi.CurrencyCode `json:"currency,omitempty" doc:"ISO 4217 code; absent until it is known"`

	Authorized int64 `json:"authorized" doc:"Held on the customer's account, whether or not the hold still stands"`
	Captured   int64 `json:"captured" doc:"Taken"`
	Refunded   int64 `json:"refunded" doc:"Given back"`

	// Why the authorization was refused.
	Declined payment.DeclineReason `json:"decline_reason,omitempty" enum:"unknown,card_declined,insufficient_funds"`

	// Why the capture was refused.
	Failure payment.CaptureFailure `json:"capture_failure,omitempty" enum:"unknown,declined,authorization_expired"`

	NextCall payment.Operation `json:"next_call,omitempty" enum:"authorize,capture,cancel,refund"`
	Calls    int64             `json:"calls" doc:"How many calls to the gateway were begun"`
	Stuck    bool              `json:"stuck" doc:"The gateway refuses for good to undo it: an operator has to"`
	ByHand   bool              `json:"settled_by_hand" doc:"An operator has undone it where the gateway refused"`

	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

func paymentOf(p *payment.Payment) Payment {
	next, _ := p.Next()
	return Payment{
		OrderID: p.OrderID, Status: p.Status(), Amount: p.Amount, Currency: httpapi.CurrencyCode(p.Currency),
		Authorized: p.Authorized, Captured: p.Captured, Refunded: p.Refunded,
		Declined: p.Decline, Failure: p.CaptureFailure, NextCall: next.Operation, Calls: p.Claims,
		Stuck: p.Stuck(), ByHand: p.SettledByHand, Version: p.Version, UpdatedAt: p.UpdatedAt,
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
