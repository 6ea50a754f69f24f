// Package api is the HTTP API of notifications. It only shows: what a customer is told follows from their order.
package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

// Parts of the running service.
type Parts = service.Parts[store.Message, *store.State, mail.Event]

// API answers requests.
type API struct {
	parts *Parts
}

// Register adds the operations to api.
func Register(api huma.API, parts *Parts) {
	a := &API{parts}
	huma.Register(api, huma.Operation{
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/v1/notifications",
		Summary: "List what customers were told, or are about to be", Tags: []string{"notifications"},
		Errors: httpapi.Refusals(http.MethodGet),
	}, a.listNotifications)
}
