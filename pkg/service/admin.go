package service

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// operations of a service for its operators, served on the admin listener. Until they are set they answer 503.
type operations struct{ handler atomic.Pointer[http.Handler] }

// adminHandler serves a service's operations for operators. Their requests are no load of the service and are not
// measured with it.
func adminHandler[I work.Input[S, E], S, E any](def Definition[I, S, E], p *Parts[I, S, E], letters *work.Letters,
	registry *sr.Client) http.Handler {
	mux, api := httpapi.New(httpapi.Config{
		Title: def.Name + " admin", Version: p.Config.Version, Logger: p.Telemetry.Logger, Tracer: p.Telemetry.Tracer,
		Description: "What operators see of " + def.Name + " and do to it. An operation that changes something asks " +
			"for the operator's name in the header " + httpapi.OperatorHeader + ".",
	})
	(&deadLetters{letters: letters, viewer: serde.NewViewer(registry), now: p.Now}).register(api)
	if def.Admin != nil {
		def.Admin(api, p)
	}
	return mux
}

func (o *operations) set(handler http.Handler) { o.handler.Store(&handler) }

// ServeHTTP leaves the routing to the handler, whose mux must not go on where the listener's own mux has come to.
func (o *operations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := o.handler.Load()
	if handler == nil {
		httpapi.Unavailable(time.Second).Write(w)
		return
	}
	(*handler).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, nil)))
}
