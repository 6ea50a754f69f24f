package telemetry_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

const unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

func recorded() (*telemetry.Spans, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	return telemetry.NewSpans(provider, recorder, resource.Empty()), recorder
}

func TestOnlySampledMessagesGetSpans(t *testing.T) {
	spans, recorder := recorded()
	for name, tc := range map[string]struct {
		spans       *telemetry.Spans
		traceparent string
		want        bool
	}{
		"sampled":          {spans, traceparent, true},
		"not sampled":      {spans, unsampled, false},
		"other flags":      {spans, traceparent[:len(traceparent)-2] + "02", false},
		"sampled and more": {spans, traceparent[:len(traceparent)-2] + "03", true},
		"no trace":         {spans, "", false},
		"nothing exported": {nil, traceparent, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.spans.Sampled(tc.traceparent); got != tc.want {
				t.Errorf("sampled %t, want %t", got, tc.want)
			}
			made := []trace.Span{
				tc.spans.Unit(tc.traceparent, "timer", "o"), tc.spans.Send(tc.traceparent, telemetry.Message{}, time.Now()),
				tc.spans.Process(tc.traceparent, telemetry.Message{}, time.Now()),
			}
			for i, span := range made {
				if (span != nil) != tc.want {
					t.Errorf("span %d is %v", i, span)
				}
			}
			before := len(recorder.Ended())
			tc.spans.Wait(tc.traceparent, telemetry.KafkaWait, telemetry.Message{}, time.Now(), time.Now())
			tc.spans.Batch(made).End()
			ctx, call := tc.spans.Call(t.Context(), tc.traceparent, "call", trace.SpanKindClient)
			call.End()
			if n := len(recorder.Ended()) - before; tc.want != (n == 3) || !tc.want && n > 0 {
				t.Errorf("%d spans have ended", n)
			}
			if carried := telemetry.Traceparent(ctx); tc.traceparent != "" && carried[:35] != tc.traceparent[:35] {
				t.Errorf("a call carries on %q", carried)
			}
		})
	}
}

// only returns the one span that has ended.
func only(t *testing.T, recorder *tracetest.SpanRecorder) sdktrace.ReadOnlySpan {
	t.Helper()
	ended := recorder.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans have ended, want 1", len(ended))
	}
	return ended[0]
}

func attributeOf(span sdktrace.ReadOnlySpan, key string) attribute.Value {
	for _, a := range span.Attributes() {
		if string(a.Key) == key {
			return a.Value
		}
	}
	return attribute.Value{}
}

func TestASendIsAProducersSpanAndSaysWhereItWent(t *testing.T) {
	at := time.Now().Add(-time.Minute)
	m := telemetry.Message{Topic: "order.events", Key: "o", ID: "e", Type: "quadrille.order.OrderPlaced", Correlation: "c", Size: 7}
	spans, recorder := recorded()
	telemetry.Sent(spans.Send(traceparent, m, at), 3, 42)
	span := only(t, recorder)
	if span.Name() != "send order.events" || span.SpanKind() != trace.SpanKindProducer || !span.StartTime().Equal(at) {
		t.Errorf("%s, %s, from %s", span.Name(), span.SpanKind(), span.StartTime())
	}
	if parent := telemetry.TraceparentOf(span.Parent()); parent != traceparent {
		t.Errorf("parent %s, want %s", parent, traceparent)
	}
	if got := attributeOf(span, "messaging.kafka.offset").AsInt64(); got != 42 {
		t.Errorf("offset %d", got)
	}
}

func TestAWaitIsNeverNegative(t *testing.T) {
	now := time.Now()
	for name, tc := range map[string]struct {
		from time.Time
		want time.Duration
	}{
		"waited":       {now.Add(-time.Second), time.Second},
		"clocks apart": {now.Add(time.Second), 0},
	} {
		t.Run(name, func(t *testing.T) {
			spans, recorder := recorded()
			spans.Wait(traceparent, telemetry.OutboxWait, telemetry.Message{Topic: "order.events"}, tc.from, now)
			span := only(t, recorder)
			if took := span.EndTime().Sub(span.StartTime()); took != tc.want || span.Name() != "outbox wait order.events" {
				t.Errorf("%s took %s, want %s", span.Name(), took, tc.want)
			}
		})
	}
}

// One span that cannot be encoded would take all of its batch with it.
func TestTextsOfOthersAreLegibleAndShort(t *testing.T) {
	spans, recorder := recorded()
	hostile := "\xff\xfe" + strings.Repeat("ü", 1000)
	spans.Process(traceparent, telemetry.Message{
		Topic: "order.events", Key: hostile, ID: hostile, Type: hostile, Correlation: hostile, Group: "payment",
	}, time.Now()).End()
	for _, a := range only(t, recorder).Attributes() {
		if text := a.Value.String(); !utf8.ValidString(text) || len(text) > 300 {
			t.Errorf("%s is %d bytes: %.20q", a.Key, len(text), text)
		}
	}
}

func TestABatchLinksToItsMessagesAndTheyToIt(t *testing.T) {
	const full = 500
	spans, recorder := recorded()
	messages := make([]trace.Span, 0, full+1)
	for range full {
		messages = append(messages, spans.Unit(traceparent, "timer", "o"))
	}
	messages = append(messages, nil) // not sampled
	batch := spans.Batch(messages)
	batch.End()
	span := only(t, recorder)
	if len(span.Links()) != full || span.Parent().IsValid() || span.SpanContext().TraceID() == messages[0].SpanContext().TraceID() {
		t.Errorf("%d links, parent %v", len(span.Links()), span.Parent())
	}
	if n := attributeOf(span, "quadrille.batch.size").AsInt64(); n != full+1 {
		t.Errorf("a batch of %d, want %d", n, full+1)
	}
	messages[0].End()
	message := recorder.Ended()[1]
	if len(message.Links()) != 1 || message.Links()[0].SpanContext.SpanID() != batch.SpanContext().SpanID() {
		t.Errorf("the message links to %v", message.Links())
	}
}

func TestTheSamplerIsThatOfTheEnvironment(t *testing.T) {
	for sampler, want := range map[string]bool{"": true, "always_off": false, "parentbased_always_on": true} {
		t.Run(sampler, func(t *testing.T) {
			quiet(t)
			url, received := receiver(t)
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
			if sampler != "" {
				t.Setenv("OTEL_TRACES_SAMPLER", sampler)
			}
			tel := start(t, telemetry.Config{Service: "order", Version: "1", LogTo: &strings.Builder{}})
			ctx, span := tel.Tracer.Tracer("test").Start(t.Context(), "place")
			span.End()
			unit := tel.Spans.Unit(telemetry.Traceparent(ctx), "POST /v1/orders", "o")
			if (unit != nil) != want {
				t.Fatalf("the span of a message is %v", unit)
			}
			tel.Spans.Batch([]trace.Span{unit}).End()
			if unit != nil {
				unit.End()
			}
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(received); want != (n == 3) || !want && n > 0 {
				t.Errorf("%d spans were exported", n)
			}
		})
	}
}

func TestSameTrace(t *testing.T) {
	other := strings.Replace(traceparent, "b7ad6b7169203331", "0000000000000001", 1)
	for name, tc := range map[string]struct {
		a, b string
		want bool
	}{
		"another span":  {traceparent, other, true},
		"another trace": {traceparent, strings.Replace(traceparent, "0af7", "1af7", 1), false},
		"none":          {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := telemetry.SameTrace(tc.a, tc.b); got != tc.want {
				t.Errorf("%t, want %t", got, tc.want)
			}
		})
	}
}
