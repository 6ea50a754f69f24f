package outbox

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

var _ kgo.HookProduceRecordUnbuffered = sending{}

// sending ends the spans of records that were acknowledged. Those of a try that failed are never exported: while a
// broker is away the lane tries again and again, which its metrics and its log tell.
type sending struct{}

// waited is the key of what notes the time in the outbox.
type waited struct{}

// OnProduceRecordUnbuffered implements [kgo.HookProduceRecordUnbuffered].
func (sending) OnProduceRecordUnbuffered(r *kgo.Record, err error) {
	if span := trace.SpanFromContext(r.Context); err == nil && span.IsRecording() {
		r.Context.Value(waited{}).(func())()
		telemetry.Sent(span, r.Partition, r.Offset)
	}
}

// trace makes the spans of a record that is about to be handed over: of its time in the outbox, and of its way to the
// broker, which whoever reads it finds in its traceparent. Each try has a span of its own, so copies of an event may
// name different ones of the same trace. A dead letter's copy keeps the headers that its record came with.
func (l *lane) trace(record *kgo.Record, written time.Time) {
	if l.cfg.Spans == nil {
		return
	}
	header := slices.IndexFunc(record.Headers, func(h kgo.RecordHeader) bool { return h.Key == "traceparent" })
	if header < 0 || !l.cfg.Spans.Sampled(string(record.Headers[header].Value)) {
		return
	}
	m := telemetry.Message{
		Topic: l.topic, Key: string(record.Key), Size: len(record.Value), Tombstone: record.Value == nil,
	}
	for _, h := range record.Headers {
		switch h.Key {
		case "ce_id":
			m.ID = string(h.Value)
		case "ce_type":
			m.Type = string(h.Value)
		case "ce_correlationid":
			m.Correlation = string(h.Value)
		}
	}
	parent, now := string(record.Headers[header].Value), time.Now()
	span := l.cfg.Spans.Send(parent, m, now)
	// It carries the span to the hook. It never ends: a record must not be withdrawn from the middle of its key.
	record.Context = context.WithValue(trace.ContextWithSpan(context.Background(), span), waited{}, func() {
		l.cfg.Spans.Wait(parent, telemetry.OutboxWait, m, written, now)
	})
	if strings.HasPrefix(record.Headers[0].Key, "ce_") {
		record.Headers[header].Value = []byte(telemetry.TraceparentOf(span.SpanContext()))
	}
}
