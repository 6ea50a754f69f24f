// Package api is the HTTP API of payments. It only shows: what happens to a payment follows from its order.
package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// Parts of the running service.
type Parts = service.Parts[store.Message, *store.State, payment.Event]

// API answers requests.
type API struct {
	parts *Parts
}

// Register adds the operations to api.
func Register(api huma.API, parts *Parts) {
	a := &API{parts}
	huma.Register(api, huma.Operation{
		OperationID: "get-payment", Method: http.MethodGet, Path: "/v1/payments/{order_id}",
		Summary: "Get the payment of an order", Tags: []string{"payments"},
		Errors: httpapi.Refusals(http.MethodGet, http.StatusNotFound),
	}, a.getPayment)
	huma.Register(api, huma.Operation{
		OperationID: "list-ledger", Method: http.MethodGet, Path: "/v1/ledger",
		Summary: "List the lines of the ledger as they were booked", Tags: []string{"ledger"},
		Errors: httpapi.Refusals(http.MethodGet),
	}, a.listLedger)
}

// problem maps the errors of the store to HTTP; any other is internal.
func problem(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return httpapi.NotFound("Nothing is known of the payment of this order.")
	}
	return service.Problem(err)
}
