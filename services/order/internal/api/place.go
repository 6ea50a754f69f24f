package api

import (
	"context"
	"net/http"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

type placeOrder struct {
	httpapi.Idempotency
	Body struct {
		CustomerID    string               `json:"customer_id" minLength:"1" maxLength:"128" example:"customer-7"`
		Email         httpapi.EmailAddress `json:"email" example:"ada@example.com"`
		PaymentMethod string               `json:"payment_method" minLength:"1" maxLength:"128" example:"tok_visa" doc:"An opaque token"`
		Lines         []placeLine          `json:"lines" minItems:"1" maxItems:"100"`
	}
}

type placeLine struct {
	SKU      string `json:"sku" minLength:"1" maxLength:"128" example:"tea-001"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000" example:"2"`
}

type accepted struct {
	Status   int
	Location string `header:"Location"`
	Body     Order
}

// place answers once the order is committed; the saga then runs by itself.
func (a *API) place(ctx context.Context, in *placeOrder) (*accepted, error) {
	lines := make([]order.Item, len(in.Body.Lines))
	for i, l := range in.Body.Lines {
		lines[i] = order.Item{SKU: l.SKU, Quantity: l.Quantity}
	}
	id, now := event.NewID(), a.parts.Now()
	return a.do(ctx, service.Command[order.Message]{
		Idempotency: in.Key, Body: in.Body, Key: id, Status: http.StatusAccepted, At: now,
		Input: order.Place{
			OrderID: id, CustomerID: in.Body.CustomerID, Email: string(in.Body.Email),
			PaymentMethod: in.Body.PaymentMethod, Lines: lines, At: now, Timeout: a.timeout,
		},
	})
}

// do hands a command on and answers with the order that its first copy was about, as it stands now.
func (a *API) do(ctx context.Context, c service.Command[order.Message]) (*accepted, error) {
	receipt, err := a.parts.Do(ctx, c)
	if err != nil {
		return nil, problem(err)
	}
	view, err := a.read(ctx, receipt.Key)
	if err != nil {
		return nil, err
	}
	return &accepted{Status: receipt.Status, Location: "/v1/orders/" + receipt.Key, Body: view}, nil
}
