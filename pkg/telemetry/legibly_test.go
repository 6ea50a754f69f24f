package telemetry

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestWhatIsExportedIsUTF8(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(legibly{exporter}))
	tracer := provider.Tracer("test")
	_, span := tracer.Start(context.Background(), "GET /\xff")
	span.SetAttributes(attribute.String("user_agent.original", "curl\x80"), attribute.Int("n", 1))
	span.SetStatus(codes.Error, "no \xfe")
	span.End()
	_, sound := tracer.Start(context.Background(), "GET /")
	sound.End()

	spans := exporter.GetSpans()
	if len(spans) != 2 || spans[0].Name != "GET /\uFFFD" || spans[0].Status.Description != "no \uFFFD" ||
		spans[0].Attributes[0].Value.AsString() != "curl\uFFFD" || spans[0].Attributes[1].Value.AsInt64() != 1 {
		t.Errorf("exported %+v", spans)
	}
	if spans[1].Name != "GET /" {
		t.Errorf("a sound span became %q", spans[1].Name)
	}
}
