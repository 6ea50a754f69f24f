package telemetry_test

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestTraceparentRoundTrip(t *testing.T) {
	ctx := telemetry.WithTraceparent(context.Background(), traceparent)
	if got := telemetry.Traceparent(ctx); got != traceparent {
		t.Errorf("traceparent %q, want %q", got, traceparent)
	}
	if !trace.SpanContextFromContext(ctx).IsRemote() {
		t.Error("the span is not that of another process")
	}
}

func TestChildStaysInTheTrace(t *testing.T) {
	quiet(t)
	tel := start(t, telemetry.Config{Service: "order"})
	ctx, span := tel.Tracer.Tracer("test").Start(telemetry.WithTraceparent(t.Context(), traceparent), "child")
	defer span.End()
	got := telemetry.Traceparent(ctx)
	if got == traceparent || !strings.HasPrefix(got, traceparent[:36]) {
		t.Errorf("traceparent of the child %q", got)
	}
}

func TestTraceparentThatIsNone(t *testing.T) {
	for _, bad := range []string{
		"", "x", "\xff", strings.ToUpper(traceparent), "00-" + strings.Repeat("0", 32) + traceparent[35:],
		strings.Repeat("0", 1<<16),
	} {
		if got := telemetry.Traceparent(telemetry.WithTraceparent(context.Background(), bad)); got != "" {
			t.Errorf("%.60q became %q", bad, got)
		}
	}
}
