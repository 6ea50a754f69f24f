package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope is the name under which the platform's own spans are made.
const scope = "quadrille"

// maxLinks is how many messages the span of a batch names, unless OTEL_SPAN_LINK_COUNT_LIMIT says so: a full batch.
const maxLinks = 500

// Spans makes the spans of messages: those of HTTP are made by its middleware. Whether a trace is recorded was decided
// where it began, so a message whose traceparent says no, or that has none, gets no span and costs a look at two
// letters. A nil *Spans makes none, and is what a process has that exports nothing.
type Spans struct {
	tracer trace.Tracer
	// batches records whatever it is asked for: a batch is asked about only if a message in it is recorded.
	batches trace.Tracer
}

// NewSpans returns Spans of the tracer provider. Spans of batches go to the processor directly.
func NewSpans(provider trace.TracerProvider, processor sdktrace.SpanProcessor, res *resource.Resource) *Spans {
	limits := sdktrace.NewSpanLimits()
	if limits.LinkCountLimit == sdktrace.DefaultLinkCountLimit {
		limits.LinkCountLimit = maxLinks
	}
	batches := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithSpanProcessor(processor),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithRawSpanLimits(limits))
	return &Spans{tracer: provider.Tracer(scope), batches: batches.Tracer(scope)}
}

// Sampled reports whether a message with this traceparent gets spans.
func (s *Spans) Sampled(traceparent string) bool {
	return s != nil && len(traceparent) == traceparentSize && traceparent[traceparentSize-1]&1 == 1
}

// Unit starts the span of a command, a due timer or the answer of a call on its way through the unit of work, from its
// arrival to the commit. It is nil if the message is not sampled.
func (s *Spans) Unit(traceparent, scope, key string) trace.Span {
	if !s.Sampled(traceparent) {
		return nil
	}
	return s.start(traceparent, "unit of work", time.Now(), trace.SpanKindInternal,
		attribute.String("quadrille.scope", scope), attribute.String("quadrille.key", key))
}

// Batch starts the span of one turn of the unit of work, for the messages with the spans given; nil ones are passed
// over. It belongs to none of their traces: it links to each of them, and each of them to it. The span does nothing if
// no message is sampled.
func (s *Spans) Batch(messages []trace.Span) trace.Span {
	var links []trace.Link
	for _, m := range messages {
		if m != nil {
			links = append(links, trace.Link{SpanContext: m.SpanContext()})
		}
	}
	if s == nil || len(links) == 0 {
		return noop.Span{}
	}
	_, batch := s.batches.Start(context.Background(), "unit of work, batch", trace.WithLinks(links...),
		trace.WithAttributes(attribute.Int("quadrille.batch.size", len(messages))))
	for _, m := range messages {
		if m != nil {
			m.AddLink(trace.Link{SpanContext: batch.SpanContext()})
		}
	}
	return batch
}

// Call starts the span of an outside call that belongs to the trace of traceparent, and returns a context that carries
// that trace on even if it is not sampled.
func (s *Spans) Call(ctx context.Context, traceparent, name string, kind trace.SpanKind,
	attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	ctx = WithTraceparent(ctx, traceparent)
	if !s.Sampled(traceparent) {
		return ctx, noop.Span{}
	}
	return s.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

// start starts a child of the span that traceparent names.
func (s *Spans) start(traceparent, name string, at time.Time, kind trace.SpanKind,
	attributes ...attribute.KeyValue) trace.Span {
	_, span := s.tracer.Start(WithTraceparent(context.Background(), traceparent), name, trace.WithTimestamp(at),
		trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return span
}
