package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

type placeOrder struct {
	httpapi.Idempotency
	Body struct {
		CustomerID    string               `json:"customer_id" minLength:"1" maxLength:"128" example:"customer-7"`
		Email         httpapi.EmailAddress `json:"email" example:"ada@example.com"`
		PaymentMethod string               `json:"payment_method" minLength:"1" maxLength:"128" example:"tok_visa" doc:"An opaque token"`
		Lines         []placeLine          `json:"lines" minItems:"1" maxItems:"100"`
		// Left out of the digest when it is not given, so that a release without it judges a repetition alike.
		SalesChannel string `json:"sales_channel,omitempty" maxLength:"128" example:"web" doc:"Where the customer came from"`
	}
}

type placeLine struct {
	SKU      string `json:"sku" minLength:"1" maxLength:"128" example:"tea-001"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"1000000" example:"2"`
}

type accepted struct {
	Status   int
	Location string `header:"Location"`
	Body     Acceptance
}

// Acceptance answers a command that is committed: the order as it stands, or its id alone if it could not be read.
type Acceptance struct {
	ID string `json:"id" format:"uuid"`
	// Order is nil if it could not be read; the encoder then leaves its fields out.
	*Order
}

var _ huma.SchemaTransformer = Acceptance{}

// TransformSchema says that only the id is sure to be there.
func (Acceptance) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = []string{"id"}
	s.Description = "The order as it stands. If it could not be read back its id is all there is; get it at Location."
	return s
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
			PaymentMethod: in.Body.PaymentMethod, Lines: lines, SalesChannel: in.Body.SalesChannel,
			At: now, Timeout: a.timeout,
		},
	})
}

// do hands a command on and answers with the order that its first copy was about, as it stands now. Once it is
// committed it is accepted, whether the order can be read or not: told otherwise, a client would order twice.
func (a *API) do(ctx context.Context, c service.Command[order.Message]) (*accepted, error) {
	receipt, err := a.parts.Do(ctx, c)
	if err != nil {
		return nil, problem(err)
	}
	answer := &accepted{
		Status: receipt.Status, Location: "/v1/orders/" + receipt.Key, Body: Acceptance{ID: receipt.Key},
	}
	o, err := store.Order(ctx, a.parts.DB, receipt.Key, store.Until{})
	if err != nil {
		a.parts.Telemetry.Logger.WarnContext(ctx, "accepted order cannot be read", "order", receipt.Key, "error", err)
		return answer, nil
	}
	view := viewOf(o)
	answer.Body.Order = &view
	return answer, nil
}
