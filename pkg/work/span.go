package work

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// traced gives a command, a timer or an answer, if its trace is recorded, the span of its way through the unit of work.
// What it leads to is a child of that span.
func (u *Unit[I, S, E]) traced(m Message[I]) Message[I] {
	if m.Span == nil {
		if m.Span = u.cfg.Spans.Unit(m.Cause.Trace, m.Scope, m.Key); m.Span != nil {
			m.Cause.Trace = telemetry.TraceparentOf(m.Span.SpanContext())
		}
	}
	return m
}

// begin starts the span of a turn, which links the messages that share transactions. End it with end.
func (u *Unit[I, S, E]) begin(items []*item[I]) trace.Span {
	spans := make([]trace.Span, len(items))
	for i, it := range items {
		spans[i] = it.Span
	}
	return u.cfg.Spans.Batch(spans)
}

// end ends the span of a turn and logs, at debug, what became of each message.
func (u *Unit[I, S, E]) end(ctx context.Context, batch trace.Span, items []*item[I]) {
	batch.End()
	if !u.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	for _, it := range items {
		outcome, _ := it.outcome()
		u.cfg.Logger.DebugContext(it.context(), "message", "scope", it.Scope, "id", it.ID, "key", it.Key,
			"outcome", outcome)
	}
}

// context is that of log lines about the item.
func (it *item[I]) context() context.Context {
	return telemetry.WithMessage(it.ctx, it.Cause.Trace, it.Cause.Correlation, it.Cause.ID)
}

// endSpan ends the span of an item that has its outcome. One that was given back is never ended: whoever handles it
// makes a span of its own. What went wrong is told by its class only, for the text of an error may repeat data.
func (it *item[I]) endSpan() {
	if it.Span == nil || errors.Is(it.err, ErrStopped) {
		return
	}
	outcome, class := it.outcome()
	it.Span.SetAttributes(attribute.String("quadrille.outcome", outcome))
	if it.retry {
		it.Span.SetAttributes(attribute.Int64("quadrille.attempt", it.tried+1))
	}
	if class != "" {
		it.Span.SetAttributes(attribute.String("error.type", string(class)))
		if class != ClassBehind { // nothing is wrong with that one
			it.Span.SetStatus(codes.Error, string(class))
		}
	}
	it.Span.End()
}

// outcome names what became of the item, and the class of the failure if it was set aside.
func (it *item[I]) outcome() (name string, class Class) {
	switch {
	case errors.Is(it.err, ErrStopped):
		return "given back", ""
	case it.err == nil && it.receipt.Repeated:
		return "repeated", ""
	case it.err == nil:
		return "done", ""
	case it.Record == nil && !it.recurs(): // the caller's own affair
		return "refused", ""
	case errors.Is(it.err, errMoved), errors.Is(it.err, ErrParked), errors.Is(it.err, ErrDead):
		return "passed over", "" // another process moved it, or its time has not come
	}
	return "set aside", classOf(it.err)
}
