package api

import (
	"context"
	"net/http"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

type cancelOrder struct {
	OrderID
	httpapi.Idempotency
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" example:"Ordered by mistake" doc:"The customer's own words"`
	}
}

// cancel of an order that is cancelled already changes nothing and answers with the order as it stands.
func (a *API) cancel(ctx context.Context, in *cancelOrder) (*accepted, error) {
	now := a.parts.Now()
	return a.do(ctx, service.Command[order.Message]{
		Idempotency: in.Key, Body: in.Body, Key: in.ID, Status: http.StatusAccepted, At: now,
		Input: order.Cancel{OrderID: in.ID, Detail: in.Body.Reason, At: now},
	})
}
