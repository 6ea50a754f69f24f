package telemetry

import (
	"context"
	"os"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// queueSize is how many spans may wait for their export: a batch of messages ends some thousand at once, and the SDK's
// own size is 2048.
const queueSize = 16_384

func queueOptions() []sdktrace.BatchSpanProcessorOption {
	if os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE") != "" {
		return nil
	}
	return []sdktrace.BatchSpanProcessorOption{sdktrace.WithMaxQueueSize(queueSize)}
}

// legibly exports spans as UTF-8: an exporter drops all spans of a batch for one text that is none, and instrumentation
// takes paths and headers over from requests as they come.
type legibly struct{ sdktrace.SpanExporter }

// ExportSpans implements [sdktrace.SpanExporter].
func (e legibly) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	var mended []sdktrace.ReadOnlySpan
	for i, span := range spans {
		if isLegible(span) {
			continue
		}
		if mended == nil {
			mended = append(mended, spans...)
		}
		mended[i] = legibleSpan{span}
	}
	if mended != nil {
		spans = mended
	}
	return e.SpanExporter.ExportSpans(ctx, spans)
}

func isLegible(span sdktrace.ReadOnlySpan) bool {
	for _, a := range span.Attributes() {
		if a.Value.Type() == attribute.STRING && !utf8.ValidString(a.Value.AsString()) {
			return false
		}
	}
	return utf8.ValidString(span.Name()) && utf8.ValidString(span.Status().Description)
}

type legibleSpan struct{ sdktrace.ReadOnlySpan }

// Name implements [sdktrace.ReadOnlySpan].
func (s legibleSpan) Name() string { return replaced(s.ReadOnlySpan.Name()) }

// Status implements [sdktrace.ReadOnlySpan].
func (s legibleSpan) Status() sdktrace.Status {
	status := s.ReadOnlySpan.Status()
	status.Description = replaced(status.Description)
	return status
}

// Attributes implements [sdktrace.ReadOnlySpan].
func (s legibleSpan) Attributes() []attribute.KeyValue {
	attributes := append([]attribute.KeyValue(nil), s.ReadOnlySpan.Attributes()...)
	for i, a := range attributes {
		if a.Value.Type() == attribute.STRING {
			attributes[i].Value = attribute.StringValue(replaced(a.Value.AsString()))
		}
	}
	return attributes
}

func replaced(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
