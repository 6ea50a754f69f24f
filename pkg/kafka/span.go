package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// handling is what there is to trace of a record that is handled.
type handling struct {
	spans   *telemetry.Spans
	message telemetry.Message
	// parent is the span that sent the record, span that of its handling.
	parent     string
	span       trace.Span
	sent, read time.Time
}

// process starts the span of a record that is handled, a child of the span that sent it, and makes it the one that what
// follows descends from. Without a trace that is recorded it returns nil, and the event stays as it is.
func (d *Decoder[I]) process(r *kgo.Record, e *event.Event) *handling {
	if !d.Spans.Sampled(e.Cause.Trace) {
		return nil
	}
	h := &handling{
		spans: d.Spans, parent: e.Cause.Trace, sent: r.Timestamp, read: time.Now(),
		message: telemetry.Message{
			Topic: r.Topic, Key: string(r.Key), ID: e.ID, Type: e.Type, Correlation: e.Cause.Correlation,
			Size: len(r.Value), Tombstone: r.Value == nil, Group: d.Group, Partition: r.Partition, Offset: r.Offset,
		},
	}
	h.span = h.spans.Process(h.parent, h.message, h.read)
	e.Cause.Trace = telemetry.TraceparentOf(h.span.SpanContext())
	return h
}

// waited makes the span of the time that the record lay on its topic, unless it comes out of our own queue. Kafka keeps
// milliseconds, cut off: rounded up, the wait does not begin before the record was sent.
func (h *handling) waited() {
	if !h.sent.IsZero() {
		h.spans.Wait(h.parent, telemetry.KafkaWait, h.message, h.sent.Add(time.Millisecond), h.read)
	}
}
