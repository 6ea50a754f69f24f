package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// RegisterAdmin adds the operations for operators to api.
func RegisterAdmin(api huma.API, parts *Parts) {
	a := &API{parts}
	huma.Register(api, huma.Operation{
		OperationID: "settle-payment", Method: http.MethodPost, Path: "/admin/v1/payments/{order_id}/settlement",
		Summary: "Settle by hand what the gateway refuses for good to undo", Tags: []string{"Payments"},
		Errors: httpapi.Refusals(http.MethodPost, http.StatusNotFound, http.StatusConflict),
	}, a.settle)
}

type settlePayment struct {
	OrderID string `path:"order_id" format:"uuid"`
	httpapi.Idempotency
	httpapi.Operated
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" example:"Refunded by bank transfer" doc:"What was done instead, for the books"`
	}
}

// settle answers once it is committed; the order learns of it by the event.
func (a *API) settle(ctx context.Context, in *settlePayment) (*paymentBody, error) {
	now := a.parts.Now()
	settlement := payment.Settlement{Operator: string(in.Operator), Reason: in.Body.Reason}
	receipt, err := a.parts.Do(ctx, service.Command[store.Message]{
		Idempotency: in.Key, Body: settlement, Key: in.OrderID, Status: http.StatusOK, At: now,
		Input: store.Message{Message: payment.Settle{OrderID: in.OrderID, Settlement: settlement, At: now}},
	})
	switch {
	case errors.Is(err, payment.ErrUnknown):
		return nil, problem(store.ErrNotFound)
	case errors.Is(err, payment.ErrNotStuck):
		return nil, httpapi.Conflict("Only a payment that the gateway has refused for good to undo is settled by hand.")
	case errors.Is(err, payment.ErrInvalid):
		return nil, httpapi.Invalid("reason", httpapi.FieldInvalid, "")
	case err != nil:
		return nil, problem(err)
	}
	body, err := a.getPayment(ctx, &orderID{receipt.Key})
	if err != nil {
		return nil, httpapi.DoneUnread(err)
	}
	return body, nil
}
