package kafka_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// traced gives the decoder spans, and what is made of them.
func traced(c *contracts) *tracetest.SpanRecorder {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	c.decoder.Group, c.decoder.Spans = "payment", telemetry.NewSpans(provider, recorder, resource.Empty())
	return recorder
}

func TestAnEventIsHandledBelowTheSpanThatSentIt(t *testing.T) {
	c := newContracts(t)
	recorder := traced(c)
	var seen string // by Input: what it keeps of the event leads to spans below its handling
	input := c.decoder.Input
	c.decoder.Input = func(e event.Event, at time.Time) (string, bool, error) {
		seen = e.Cause.Trace
		return input(e, at)
	}
	r := c.record(t, &paid{orderID, 100})
	r.Timestamp = time.Now().Add(-time.Second).Truncate(time.Millisecond)
	m, wanted, err := c.decoder.Decode(t.Context(), r)
	if err != nil || !wanted || m.Span == nil {
		t.Fatalf("wanted %t, span %v, error %v", wanted, m.Span, err)
	}
	if own := telemetry.TraceparentOf(m.Span.SpanContext()); m.Cause.Trace != own || seen != own {
		t.Errorf("what follows descends from %s and %s, want %s", m.Cause.Trace, seen, own)
	}
	m.Span.End()

	ended := recorder.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans, want two", len(ended))
	}
	for i, want := range []struct {
		name string
		kind oteltrace.SpanKind
	}{{"kafka wait " + topic, oteltrace.SpanKindInternal}, {"process " + topic, oteltrace.SpanKindConsumer}} {
		span := ended[i]
		if parent := telemetry.TraceparentOf(span.Parent()); span.Name() != want.name || span.SpanKind() != want.kind ||
			parent != trace {
			t.Errorf("%s (%s) below %s", span.Name(), span.SpanKind(), parent)
		}
	}
	if waited := ended[0].EndTime().Sub(ended[0].StartTime()); waited < 900*time.Millisecond {
		t.Errorf("it waited %s, want a second", waited)
	}
	if !ended[0].EndTime().Equal(ended[1].StartTime()) {
		t.Error("between the wait and the handling is a gap")
	}
	got := make(map[string]any)
	for _, a := range ended[1].Attributes() {
		got[string(a.Key)] = a.Value.AsInterface()
	}
	want := map[string]any{
		"messaging.system": "kafka", "messaging.destination.name": topic, "messaging.destination.partition.id": "3",
		"messaging.kafka.offset": int64(77), "messaging.kafka.message.key": orderID, "messaging.message.id": eventID,
		"messaging.message.conversation_id": orderID, "messaging.consumer.group.name": "payment",
		"messaging.operation.name": "process", "messaging.operation.type": "process",
		"messaging.message.body.size": int64(len(r.Value)), "cloudevents.event_type": "test.Paid",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("attributes (-want +got):\n" + diff)
	}
}

func TestWhatLeavesNoSpan(t *testing.T) {
	for name, tc := range map[string]struct {
		record func(t *testing.T, c *contracts) *kgo.Record
		spans  int // once the message's own has ended
		again  bool
	}{
		"wanted":      {func(t *testing.T, c *contracts) *kgo.Record { return c.record(t, &paid{orderID, 100}) }, 2, false},
		"no interest": {func(t *testing.T, c *contracts) *kgo.Record { return c.record(t, &paid{orderID, 0}) }, 0, false},
		"unsampled": {func(t *testing.T, c *contracts) *kgo.Record {
			r := c.record(t, &paid{orderID, 100})
			set(r, "traceparent", strings.TrimSuffix(trace, "1")+"0")
			return r
		}, 0, false},
		"out of our own queue": {func(t *testing.T, c *contracts) *kgo.Record { return c.record(t, &paid{orderID, 100}) }, 1, true},
		"bad bytes": {func(t *testing.T, c *contracts) *kgo.Record {
			r := c.record(t, &paid{orderID, 100})
			r.Value = []byte("bad")
			return r
		}, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newContracts(t)
			recorder := traced(c)
			r := tc.record(t, c)
			r.Timestamp = time.Now()
			m, wanted, err := c.decoder.Decode(t.Context(), r)
			if tc.again {
				recorder = traced(c)
				m, wanted, err = c.decoder.Again(t.Context(), m.Record)
			}
			if err != nil {
				t.Fatal(err)
			}
			if wanted && m.Span != nil { // as the unit of work does
				m.Span.End()
			}
			if n := len(recorder.Ended()); n != tc.spans {
				t.Errorf("%d spans, want %d", n, tc.spans)
			}
		})
	}
}

// BenchmarkDecode shows what tracing adds: nothing to speak of unless the event's trace is recorded.
func BenchmarkDecode(b *testing.B) {
	for _, bc := range []struct {
		name string
		set  func(*contracts, *kgo.Record)
	}{
		{"nothing exported", func(*contracts, *kgo.Record) {}},
		{"not sampled", func(c *contracts, r *kgo.Record) {
			traced(c)
			set(r, "traceparent", strings.TrimSuffix(trace, "1")+"0")
		}},
		{"sampled", func(c *contracts, _ *kgo.Record) {
			provider := sdktrace.NewTracerProvider()
			c.decoder.Spans = telemetry.NewSpans(provider, tracetest.NewSpanRecorder(), resource.Empty())
		}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			c := newContracts(b)
			r := c.record(b, &paid{orderID, 100})
			r.Timestamp = time.Now()
			bc.set(c, r)
			var m work.Message[string]
			for b.Loop() {
				var err error
				if m, _, err = c.decoder.Decode(b.Context(), r); err != nil {
					b.Fatal(err)
				}
				if m.Span != nil {
					m.Span.End()
				}
			}
		})
	}
}
