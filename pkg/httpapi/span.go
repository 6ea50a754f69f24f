package httpapi

import (
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// describe adds to a request's span what is known of it once it was answered: its route, and its correlation id.
func describe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		span := trace.SpanFromContext(r.Context())
		if !span.IsRecording() {
			return
		}
		span.SetAttributes(attribute.String("quadrille.correlation_id", Correlation(r.Context())))
		if r.Pattern != "" {
			span.SetAttributes(semconv.HTTPRoute(r.Pattern))
		}
	})
}
