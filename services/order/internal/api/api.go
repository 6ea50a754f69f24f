// Package api is the HTTP API of orders.
package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// Parts of the running service.
type Parts = service.Parts[order.Message, *order.Book, order.Event]

// API answers requests.
type API struct {
	parts   *Parts
	waiters *Waiters
	timeout time.Duration
}

// Register adds the operations to api. Timeout is how long an order may stay pending.
func Register(api huma.API, parts *Parts, waiters *Waiters, timeout time.Duration) {
	a := &API{parts, waiters, timeout}
	huma.Register(api, huma.Operation{
		OperationID: "place-order", Method: http.MethodPost, Path: "/v1/orders",
		Summary: "Place an order", Tags: []string{"orders"}, DefaultStatus: http.StatusAccepted,
		Errors: httpapi.Refusals(http.MethodPost, http.StatusConflict),
	}, a.place)
	huma.Register(api, huma.Operation{
		OperationID: "list-orders", Method: http.MethodGet, Path: "/v1/orders",
		Summary: "List orders, newest first", Tags: []string{"orders"},
		Errors: httpapi.Refusals(http.MethodGet),
	}, a.list)
	huma.Register(api, huma.Operation{
		OperationID: "get-order", Method: http.MethodGet, Path: "/v1/orders/{id}",
		Summary: "Get an order, now or as it was", Tags: []string{"orders"},
		Errors: httpapi.Refusals(http.MethodGet, http.StatusNotFound),
	}, a.get)
	huma.Register(api, huma.Operation{
		OperationID: "list-order-events", Method: http.MethodGet, Path: "/v1/orders/{id}/events",
		Summary: "List everything that happened to an order", Tags: []string{"orders"},
		Errors: httpapi.Refusals(http.MethodGet, http.StatusNotFound),
	}, a.events)
	huma.Register(api, huma.Operation{
		OperationID: "cancel-order", Method: http.MethodPost, Path: "/v1/orders/{id}/cancellation",
		Summary: "Cancel an order", Tags: []string{"orders"}, DefaultStatus: http.StatusAccepted,
		Errors: httpapi.Refusals(http.MethodPost, http.StatusNotFound, http.StatusConflict),
	}, a.cancel)
	huma.Register(api, huma.Operation{
		OperationID: "list-products", Method: http.MethodGet, Path: "/v1/products",
		Summary: "List what can be ordered", Tags: []string{"products"},
		Errors: httpapi.Refusals(http.MethodGet),
	}, a.products)
}

// problem maps the errors of the domain and the store to HTTP; any other is internal.
func problem(err error) error {
	if refusal, ok := errors.AsType[*order.Refusal](err); ok {
		field := refusal.Field
		if field == "detail" {
			field = "reason" // its name on the outside
		}
		r := refusals[refusal.Code]
		return httpapi.Invalid(field, r.code, r.message)
	}
	switch {
	case errors.Is(err, order.ErrUnknownOrder), errors.Is(err, store.ErrNotFound):
		return httpapi.NotFound("No order has this id, or it had not come this far at the time asked for.")
	case errors.Is(err, order.ErrOrderExists):
		return httpapi.Conflict("An order with this id exists.")
	}
	return service.Problem(err)
}

// refusals says how the domain's codes are told. An empty message stands for the usual words of the code.
var refusals = map[order.Code]struct {
	code    httpapi.FieldCode
	message string
}{
	order.CodeMissing:        {httpapi.FieldRequired, ""},
	order.CodeMalformed:      {httpapi.FieldFormat, ""},
	order.CodeTooLong:        {httpapi.FieldLong, ""},
	order.CodeOutOfRange:     {httpapi.FieldLarge, "is out of range"},
	order.CodeTooMany:        {httpapi.FieldLong, "holds too many lines"},
	order.CodeDuplicate:      {httpapi.FieldDuplicate, "names a sku that an earlier line names too"},
	order.CodeUnknownProduct: {httpapi.FieldInvalid, "is no product that can be ordered"},
	order.CodeMixedCurrency:  {httpapi.FieldInvalid, "is priced in another currency than the first line"},
	order.CodeTotalTooLarge:  {httpapi.FieldLarge, "makes the total too large"},
}
