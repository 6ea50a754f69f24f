// Package api is the HTTP API of inventory.
package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/store"
)

// Parts of the running service.
type Parts = service.Parts[stock.Message, *stock.Stock, stock.Event]

// API answers requests.
type API struct {
	parts          *Parts
	republishAfter time.Duration
}

// Register adds the operations to api. RepublishAfter is that of stock.PutProduct.
func Register(api huma.API, parts *Parts, republishAfter time.Duration) {
	a := &API{parts, republishAfter}
	huma.Register(api, huma.Operation{
		OperationID: "list-products", Method: http.MethodGet, Path: "/v1/products",
		Summary: "List products by sku", Tags: []string{"products"},
		Errors: httpapi.Refusals(http.MethodGet),
	}, a.listProducts)
	huma.Register(api, huma.Operation{
		OperationID: "get-product", Method: http.MethodGet, Path: "/v1/products/{sku}",
		Summary: "Get a product and its stock levels", Tags: []string{"products"},
		Errors: httpapi.Refusals(http.MethodGet, http.StatusNotFound),
	}, a.getProduct)
	huma.Register(api, huma.Operation{
		OperationID: "put-product", Method: http.MethodPut, Path: "/v1/products/{sku}",
		Summary: "Create a product, or change its name and price", Tags: []string{"products"},
		Errors: httpapi.Refusals(http.MethodPut),
	}, a.putProduct)
	huma.Register(api, huma.Operation{
		OperationID: "restock-product", Method: http.MethodPost, Path: "/v1/products/{sku}/restocks",
		Summary: "Add to what is available", Tags: []string{"products"}, DefaultStatus: http.StatusOK,
		Errors: httpapi.Refusals(http.MethodPost, http.StatusNotFound, http.StatusConflict),
	}, a.restock)
	huma.Register(api, huma.Operation{
		OperationID: "get-reservation", Method: http.MethodGet, Path: "/v1/reservations/{order_id}",
		Summary: "Get what is held for an order", Tags: []string{"reservations"},
		Errors: httpapi.Refusals(http.MethodGet, http.StatusNotFound),
	}, a.getReservation)
}

// Money is an amount in minor units.
type Money struct {
	Amount   int64                `json:"amount" minimum:"1" maximum:"1000000000000" doc:"Minor units, such as cents" example:"1999"`
	Currency httpapi.CurrencyCode `json:"currency" doc:"ISO 4217 code" example:"EUR"`
}

// SKU is a path parameter.
type SKU struct {
	SKU string `path:"sku" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]*$" example:"tea-001"`
}

// do hands a command on and maps what the domain refuses.
func (a *API) do(ctx context.Context, c service.Command[stock.Message]) (work.Receipt, error) {
	receipt, err := a.parts.Do(ctx, c)
	return receipt, problem(err)
}

// problem maps the errors of the domain and the store to HTTP; any other is internal.
func problem(err error) error {
	if refusal, ok := errors.AsType[*stock.Refusal](err); ok {
		codes := map[stock.Code]httpapi.FieldCode{
			stock.CodeMissing: httpapi.FieldRequired, stock.CodeMalformed: httpapi.FieldFormat,
			stock.CodeTooLong: httpapi.FieldLong, stock.CodeOutOfRange: httpapi.FieldLarge,
		}
		return httpapi.Invalid(refusal.Field, codes[refusal.Code], "")
	}
	switch {
	case errors.Is(err, stock.ErrUnknownProduct):
		return httpapi.NotFound("No product has this sku.")
	case errors.Is(err, store.ErrNotFound):
		return httpapi.NotFound("")
	}
	return service.Problem(err)
}
