package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/projection"
)

// Admin answers operators.
type Admin struct {
	parts      *Parts
	rebuilder  *projection.Rebuilder
	stuckAfter time.Duration
}

// RegisterAdmin adds the operations for operators to api. An order that has waited for longer than stuckAfter is stuck.
func RegisterAdmin(api huma.API, parts *Parts, rebuilder *projection.Rebuilder, stuckAfter time.Duration) {
	a := &Admin{parts, rebuilder, stuckAfter}
	huma.Register(api, huma.Operation{
		OperationID: "rebuild-model", Method: http.MethodPost, Path: "/admin/v1/rebuilds",
		Summary: "Make a read model anew while it is served", Tags: []string{"Rebuilds"},
		DefaultStatus: http.StatusAccepted,
		Errors:        httpapi.Refusals(http.MethodPost, http.StatusNotFound, http.StatusConflict),
	}, a.rebuild)
	huma.Register(api, huma.Operation{
		OperationID: "get-rebuild", Method: http.MethodGet, Path: "/admin/v1/rebuilds/{model}",
		Summary: "Get the last rebuild of a read model", Tags: []string{"Rebuilds"},
		Errors: httpapi.Refusals(http.MethodGet, http.StatusNotFound),
	}, a.getRebuild)
	huma.Register(api, huma.Operation{
		OperationID: "list-sagas", Method: http.MethodGet, Path: "/admin/v1/sagas",
		Summary: "List the orders whose saga has not ended, the longest waiting first", Tags: []string{"Sagas"},
		Errors: httpapi.Refusals(http.MethodGet),
	}, a.sagas)
}
