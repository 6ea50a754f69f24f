package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

type messageKey struct{}

// messageIDs are those of the message in work.
type messageIDs struct{ correlation, event string }

// WithMessage returns a context for log lines about a message: they carry its trace, its correlation id and its own.
func WithMessage(ctx context.Context, traceparent, correlation, event string) context.Context {
	ctx = WithTraceparent(ctx, traceparent)
	return context.WithValue(ctx, messageKey{}, messageIDs{correlation, event})
}

// identified adds to each line the ids that its context knows: trace_id and span_id, correlation_id and event_id.
type identified struct{ slog.Handler }

// Identified returns a logger whose lines carry the ids that their context knows.
func Identified(log *slog.Logger) *slog.Logger { return slog.New(identified{log.Handler()}) }

// Handle implements slog.Handler.
func (h identified) Handle(ctx context.Context, r slog.Record) error {
	span := trace.SpanContextFromContext(ctx)
	ids, known := ctx.Value(messageKey{}).(messageIDs)
	if span.IsValid() || known {
		r = r.Clone()
	}
	if span.IsValid() {
		r.AddAttrs(slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String()))
	}
	if known {
		r.AddAttrs(slog.String("correlation_id", ids.correlation), slog.String("event_id", ids.event))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h identified) WithAttrs(attributes []slog.Attr) slog.Handler {
	return identified{h.Handler.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h identified) WithGroup(name string) slog.Handler { return identified{h.Handler.WithGroup(name)} }
