package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceparentSize is the length of a W3C traceparent: version, trace, span and flags, with hyphens between.
const traceparentSize = 2 + 1 + 32 + 1 + 16 + 1 + 2

// Traceparent returns the W3C traceparent of the span in ctx, empty if there is none.
func Traceparent(ctx context.Context) string {
	return TraceparentOf(trace.SpanContextFromContext(ctx))
}

// TraceparentOf returns the W3C traceparent of a span, empty if it is none.
func TraceparentOf(span trace.SpanContext) string {
	if !span.IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), span), carrier)
	return carrier["traceparent"]
}

// WithTraceparent returns a context whose parent span is the one that traceparent names. A malformed one is ignored.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}

// SameTrace reports whether two traceparents name spans of one trace.
func SameTrace(a, b string) bool {
	const head = 2 + 1 + 32 + 1
	return len(a) == traceparentSize && len(b) == traceparentSize && a[:head] == b[:head]
}
