package outbox

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestARecordIsSentBelowTheSpanThatWroteIt(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	db, b := sqltest.SQLite(t), startBroker(t, nil)
	migrate(t, db)
	cfg := quick(b)
	cfg.Spans = telemetry.NewSpans(provider, recorder, resource.Empty())

	headers := func(trace string) []event.Header {
		return []event.Header{
			{Key: "ce_id", Value: []byte("e")}, {Key: "ce_type", Value: []byte("test.Paid")},
			{Key: "traceparent", Value: []byte(trace)},
		}
	}
	copied := slices.Insert(headers(traceparent), 0, event.Header{Key: "dl_service", Value: []byte("order")})
	untraced := strings.TrimSuffix(traceparent, "1") + "0"
	written := time.Now().Add(-time.Minute)
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		return Insert(t.Context(), tx, []Record{
			{Topic: "a.events", Key: "x", Headers: headers(traceparent), Value: []byte("sampled")},
			{Topic: "a.events", Key: "x", Headers: headers(untraced), Value: []byte("unsampled")},
			{Topic: "a.events", Key: "x", Headers: copied, Value: []byte("copy")},
			{Topic: "a.events", Key: "x", Value: []byte("bare")},
		}, written)
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, NewRelay(db, cfg))
	eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
	stop()

	var waits, sends []sdktrace.ReadOnlySpan
	for _, span := range recorder.Ended() {
		if parent := telemetry.TraceparentOf(span.Parent()); parent != traceparent {
			t.Errorf("%s is below %s, want %s", span.Name(), parent, traceparent)
		}
		switch span.Name() {
		case "outbox wait a.events":
			waits = append(waits, span)
		case "send a.events":
			sends = append(sends, span)
		default:
			t.Errorf("a span %s", span.Name())
		}
	}
	if len(waits) != 2 || len(sends) != 2 {
		t.Fatalf("%d waits and %d sends, want two of each", len(waits), len(sends))
	}
	if waited := waits[0].EndTime().Sub(waits[0].StartTime()); waited < time.Minute ||
		!waits[0].EndTime().Equal(sends[0].StartTime()) {
		t.Errorf("waited %s until %s, sent from %s", waited, waits[0].EndTime(), sends[0].StartTime())
	}
	if sends[0].SpanKind() != trace.SpanKindProducer {
		t.Errorf("kind %s", sends[0].SpanKind())
	}

	records := b.log(t, "a.events")
	carried := make(map[string]string)
	for _, r := range records {
		for _, h := range r.Headers {
			if h.Key == "traceparent" {
				carried[string(r.Value)] = string(h.Value)
			}
		}
	}
	want := map[string]string{
		"sampled": telemetry.TraceparentOf(sends[0].SpanContext()), "unsampled": untraced,
		"copy": traceparent, // its headers are those of the record that died
	}
	if diff := cmp.Diff(want, carried); diff != "" {
		t.Error("traceparents on the topic (-want +got):\n" + diff)
	}
	for _, a := range sends[0].Attributes() {
		if a.Key == "messaging.kafka.offset" && a.Value.AsInt64() != records[0].Offset {
			t.Errorf("offset %d, want %d", a.Value.AsInt64(), records[0].Offset)
		}
	}
}
