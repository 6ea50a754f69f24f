// Package httpapi is the HTTP edge that every service needs and none owns: strict JSON in, problems out (RFC 9457), an
// OpenAPI 3.1 description made from the handlers, its page offline, and a server that drains.
//
// A service calls New, registers its operations with huma.Register and gives the mux to Serve. Whatever it refuses it
// returns as a *Problem; any other error becomes a bare 500, whose cause is logged and never shown.
package httpapi

import (
	"cmp"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Config describes an API.
type Config struct {
	// Title names the API in its OpenAPI document, such as "Orders".
	Title string
	// Version is that of the API's description. Defaults to "1".
	Version string
	// Description is the API's introduction, in Markdown. Defaults to none.
	Description string
	// WithoutDocs leaves out /openapi.json and /docs, as an admin listener does. Defaults to false.
	WithoutDocs bool
	// Limits bound what is worked on at a time. Default to none, as an admin listener needs it.
	Limits Limits

	// Logger gets the causes of internal errors and panics. Defaults to slog.Default().
	Logger *slog.Logger
	// Tracer makes a span of each request. Defaults to the global provider.
	Tracer trace.TracerProvider
	// Meter measures each request. Defaults to the global provider.
	Meter metric.MeterProvider
}

// WithDefaults returns c with every unset field at its default.
func (c Config) WithDefaults() Config {
	c.Version = cmp.Or(c.Version, "1")
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c
}

// New returns the mux to serve, and the API to register operations on. Plain handlers may be mounted on the mux too:
// they get the same correlation, limits, recovery and problems.
func New(config Config) (*chi.Mux, huma.API) {
	config = config.WithDefaults()
	adoptProblems()

	mux := chi.NewMux()
	mux.Use(
		correlate(config.Logger), // copies the request; nothing after the span may, or it would not learn the route
		otelhttp.NewMiddleware("http", traceOptions(config)...),
		describe,
		recoverer,
		limitBody, // before what may refuse: the server reads what is left of a body then
		newShedder(config.Limits, config.Meter).middleware,
		sameOrigin,
		wellFormed,
		middleware.GetHead,
	)
	mux.NotFound(func(w http.ResponseWriter, _ *http.Request) { NotFound("").Write(w) })
	mux.MethodNotAllowed(methodNotAllowed(mux))

	description := huma.DefaultConfig(config.Title, config.Version)
	description.Info.Description = config.Description
	description.CreateHooks = nil // they add $schema to every body
	description.DocsPath = ""     // huma's pages load scripts from elsewhere
	description.SchemasPath = ""
	description.RejectUnknownQueryParameters = true
	// The key "json" serves application/problem+json, without offering that type for answers that are none.
	description.Formats = map[string]huma.Format{"application/json": JSON(), "json": JSON()}
	description.OnAddOperation = []huma.AddOpFunc{leaveBodyToMux}
	if config.WithoutDocs {
		description.OpenAPIPath = ""
	} else {
		mountDocs(mux, config.Title)
	}
	return mux, humachi.New(mux, description)
}

// leaveBodyToMux turns off huma's own limits: its size is off by one, and the read deadline it sets is never lifted,
// which would cancel the context of a handler still at work five seconds later.
func leaveBodyToMux(_ *huma.OpenAPI, op *huma.Operation) {
	op.MaxBodyBytes, op.BodyReadTimeout = 0, 0
}

func traceOptions(config Config) []otelhttp.Option {
	options := []otelhttp.Option{otelhttp.WithPropagators(propagation.TraceContext{})}
	if config.Tracer != nil {
		options = append(options, otelhttp.WithTracerProvider(config.Tracer))
	}
	if config.Meter != nil {
		options = append(options, otelhttp.WithMeterProvider(config.Meter))
	}
	return options
}

// methodNotAllowed answers 405 with the Allow header that RFC 9110 asks for.
func methodNotAllowed(mux *chi.Mux) http.HandlerFunc {
	methods := []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		path := cmp.Or(r.URL.RawPath, r.URL.Path)
		for _, method := range methods {
			routed := method
			if method == http.MethodHead { // answered by GET's handler
				routed = http.MethodGet
			}
			if mux.Match(chi.NewRouteContext(), routed, path) {
				w.Header().Add("Allow", method)
			}
		}
		NewProblem(MethodNotAllowed, "").Write(w)
	}
}
