package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

func TestARequestIsASpanOfItsRoute(t *testing.T) {
	const correlation = "0199f1f0-0000-7000-8000-000000000001"
	for name, tc := range map[string]struct {
		path, span, route string
		status            int64
	}{
		"a route": {"/things/7", "GET /things/{id}", "/things/{id}", 204},
		"none":    {"/nothing", "GET", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := tracetest.NewSpanRecorder()
			mux, _ := httpapi.New(httpapi.Config{Tracer: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))})
			mux.Get("/things/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			request := httptest.NewRequest(http.MethodGet, tc.path, nil)
			request.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
			request.Header.Set(httpapi.CorrelationHeader, correlation)
			request.Header.Set("baggage", "customer=ada")
			mux.ServeHTTP(httptest.NewRecorder(), request)
			if len(recorder.Ended()) != 1 {
				t.Fatalf("%d spans", len(recorder.Ended()))
			}
			span := recorder.Ended()[0]
			if span.Name() != tc.span || span.SpanKind() != trace.SpanKindServer ||
				span.Parent().SpanID().String() != "b7ad6b7169203331" {
				t.Errorf("%q (%s) below %s", span.Name(), span.SpanKind(), span.Parent().SpanID())
			}
			has := make(map[string]any)
			for _, a := range span.Attributes() {
				has[string(a.Key)] = a.Value.AsInterface()
			}
			for name, want := range map[string]any{
				"http.request.method": "GET", "http.response.status_code": tc.status, "quadrille.correlation_id": correlation,
			} {
				if has[name] != want {
					t.Errorf("%s is %v, want %v", name, has[name], want)
				}
			}
			if route, _ := has["http.route"].(string); route != tc.route {
				t.Errorf("http.route is %q, want %q", route, tc.route)
			}
		})
	}
}
