package kafka_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// paid and voided are events of the test; a consumer knows paid only.
type paid struct {
	OrderID string `avro:"order_id"`
	Amount  int64  `avro:"amount"`
}

type voided struct {
	OrderID string `avro:"order_id"`
}

func (*paid) EventType() string   { return "test.Paid" }
func (*voided) EventType() string { return "test.Voided" }

var (
	paidType = serde.Type{
		Name: "test.Paid", Topic: topic, New: func() event.Data { return new(paid) },
		Schema: `{"type":"record","name":"Paid","namespace":"test","fields":[` +
			`{"name":"order_id","type":"string"},{"name":"amount","type":"long"}]}`,
	}
	voidedType = serde.Type{
		Name: "test.Voided", Topic: topic, New: func() event.Data { return new(voided) },
		Schema: `{"type":"record","name":"Voided","namespace":"test","fields":[{"name":"order_id","type":"string"}]}`,
	}
)

const (
	orderID = "0199f1f0-0000-7000-8000-000000000001"
	eventID = "0199f1f0-0000-7000-8000-000000000002"
	trace   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

var arrival = time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)

// contracts is a registry with both types, what encodes them, and a decoder that knows paid only.
type contracts struct {
	registry *srfake.Registry
	writer   *serde.Codec
	decoder  *kafka.Decoder[string]
	metrics  *sdkmetric.ManualReader
}

func newContracts(t testing.TB) *contracts {
	t.Helper()
	c := &contracts{registry: srfake.New(), metrics: sdkmetric.NewManualReader()}
	t.Cleanup(c.registry.Close)
	client, err := serde.NewClient(c.registry.URL())
	if err != nil {
		t.Fatal(err)
	}
	both := []serde.Type{paidType, voidedType}
	if err := serde.Register(t.Context(), client, both); err != nil {
		t.Fatal(err)
	}
	if c.writer, err = serde.New(t.Context(), client, both); err != nil {
		t.Fatal(err)
	}
	reader, err := serde.New(t.Context(), client, both[:1])
	if err != nil {
		t.Fatal(err)
	}
	metrics, err := kafka.NewMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.metrics)).Meter("test"))
	if err != nil {
		t.Fatal(err)
	}
	c.decoder = &kafka.Decoder[string]{
		Codec: reader, Metrics: metrics, Clock: func() time.Time { return arrival },
		Input: func(e event.Event, at time.Time) (string, bool, error) {
			switch data := e.Data.(type) {
			case *paid:
				if data.Amount == 0 {
					return "", false, nil // of no interest
				}
				return fmt.Sprintf("%s %d at %s", e.Key, data.Amount, at.Format(time.RFC3339Nano)), true,
					kafka.CheckKey(e, data.OrderID)
			case nil:
				return "withdrawn " + e.Key, e.Sequence > 1, nil
			}
			return "", false, fmt.Errorf("a %T was not asked for", e.Data)
		},
	}
	return c
}

// record returns a good record of data, or a tombstone, as the relay would produce it.
func (c *contracts) record(t testing.TB, data event.Data) *kgo.Record {
	t.Helper()
	e := event.Event{
		ID: eventID, Type: paidType.Name, Source: "/quadrille/payment", Key: orderID, Sequence: 2, Time: arrival,
		Cause: event.Cause{ID: event.NewID(), Correlation: orderID, Trace: trace},
	}
	r := &kgo.Record{Topic: topic, Partition: 3, Offset: 77, Key: []byte(e.Key)}
	if data != nil {
		kind, ok := c.writer.TypeOf(data)
		if !ok {
			t.Fatalf("%T is no type of the test", data)
		}
		e.Type = kind.Name
		var err error
		if r.Value, err = c.writer.Append(nil, data); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range event.Headers(e) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return r
}

// set changes a header, or takes it away.
func set(r *kgo.Record, header, value string) {
	for i, h := range r.Headers {
		if h.Key == header {
			if value == "" {
				r.Headers = append(r.Headers[:i], r.Headers[i+1:]...)
			} else {
				r.Headers[i].Value = []byte(value)
			}
			return
		}
	}
}

// skipped returns how often what was skipped, as "type known": count.
func (c *contracts) skipped(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.metrics.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != "quadrille.consumer.skipped" {
				continue
			}
			for _, p := range sum.DataPoints {
				kind, _ := p.Attributes.Value("event.type")
				known, _ := p.Attributes.Value("known")
				counts[fmt.Sprintf("%s %t", kind.AsString(), known.AsBool())] += p.Value
			}
		}
	}
	return counts
}

func TestDecodeOfAGoodEvent(t *testing.T) {
	c := newContracts(t)
	c.decoder.Unlogged = map[string]bool{topic: true}
	r := c.record(t, &paid{OrderID: orderID, Amount: 250})
	m, wanted, err := c.decoder.Decode(t.Context(), r)
	if err != nil || !wanted || m.Fault != nil {
		t.Fatalf("wanted %t, fault %v, error %v", wanted, m.Fault, err)
	}
	if want := orderID + " 250 at 2026-01-02T03:04:05.000006Z"; m.Input != want {
		t.Errorf("input %q, want %q", m.Input, want)
	}
	if m.Scope != topic || m.ID != eventID || m.Key != orderID || m.Digest != sha256.Sum256(r.Value) || !m.Unlogged {
		t.Errorf("message %+v", m)
	}
	if diff := cmp.Diff(event.Cause{ID: eventID, Correlation: orderID, Trace: trace}, m.Cause); diff != "" {
		t.Errorf("cause (-want +got):\n%s", diff)
	}
	if m.Record.Topic != topic || m.Record.Partition != 3 || m.Record.Offset != 77 ||
		!bytes.Equal(m.Record.Value, r.Value) || len(m.Record.Headers) != len(r.Headers) {
		t.Errorf("record %+v", m.Record)
	}
}

func TestDecodeSkipsAndCounts(t *testing.T) {
	c := newContracts(t)
	boring := c.record(t, nil)
	set(boring, "ce_sequence", "1")
	for _, r := range []*kgo.Record{
		c.record(t, &voided{OrderID: orderID}), c.record(t, &voided{OrderID: orderID}),
		c.record(t, &paid{OrderID: orderID}), boring,
	} {
		if m, wanted, err := c.decoder.Decode(t.Context(), r); wanted || err != nil {
			t.Errorf("message %+v, wanted %t, error %v", m, wanted, err)
		}
	}
	want := map[string]int64{"test.Voided false": 2, "test.Paid true": 1, "tombstone true": 1}
	if diff := cmp.Diff(want, c.skipped(t)); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestDecodeOfATombstone(t *testing.T) {
	c := newContracts(t)
	m, wanted, err := c.decoder.Decode(t.Context(), c.record(t, nil))
	if err != nil || !wanted || m.Fault != nil || m.Input != "withdrawn "+orderID {
		t.Errorf("message %+v, wanted %t, error %v", m, wanted, err)
	}
}

func TestDecodeFaultsWhatCannotBeHandled(t *testing.T) {
	c := newContracts(t)
	event1 := &paid{OrderID: orderID, Amount: 1}
	good := c.record(t, event1).Value
	tests := map[string]struct {
		data  event.Data
		spoil func(*kgo.Record)
		want  error
		newID bool // the id falls back to where the record stands
	}{
		"no headers":      {event1, func(r *kgo.Record) { r.Headers = nil }, event.ErrHeaders, true},
		"no ce_id":        {event1, func(r *kgo.Record) { set(r, "ce_id", "") }, event.ErrHeaders, true},
		"ce_id no UUID":   {event1, func(r *kgo.Record) { set(r, "ce_id", "42") }, event.ErrHeaders, true},
		"no ce_type":      {event1, func(r *kgo.Record) { set(r, "ce_type", "") }, event.ErrHeaders, false},
		"sequence 0":      {event1, func(r *kgo.Record) { set(r, "ce_sequence", "0") }, event.ErrHeaders, false},
		"another subject": {event1, func(r *kgo.Record) { set(r, "ce_subject", eventID) }, event.ErrHeaders, false},
		"a type that contradicts": {
			event1, func(r *kgo.Record) { set(r, "ce_type", "test.Voided") }, event.ErrHeaders, false,
		},
		"an unknown type that claims to be a known one": {
			&voided{OrderID: orderID}, func(r *kgo.Record) { set(r, "ce_type", "test.Paid") }, event.ErrHeaders, false,
		},
		"the key of another": {&paid{OrderID: eventID, Amount: 1}, func(*kgo.Record) {}, kafka.ErrKey, false},
		"a key too long":     {event1, rekey(strings.Repeat("k", 256)), kafka.ErrKey, false},
		"a key with NUL":     {nil, rekey("a\x00b"), kafka.ErrKey, false},
		"a key not UTF-8":    {nil, rekey("a\xff"), kafka.ErrKey, false},
		"empty value":        {event1, revalue([]byte{}), serde.ErrMalformed, false},
		"garbage":            {event1, revalue([]byte("garbage")), serde.ErrMalformed, false},
		"truncated":          {event1, revalue(good[:len(good)-1]), serde.ErrMalformed, false},
		"trailing bytes":     {event1, revalue(append(bytes.Clone(good), 0)), serde.ErrMalformed, false},
		"an unknown schema":  {event1, revalue([]byte{0, 0, 0, 0x7f, 0, 0}), serde.ErrUnknownSchema, false},
		"the wrong topic":    {event1, func(r *kgo.Record) { r.Topic = "order.events" }, serde.ErrMalformed, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := c.record(t, test.data)
			test.spoil(r)
			m, wanted, err := c.decoder.Decode(t.Context(), r)
			if err != nil || !wanted {
				t.Fatalf("G7: dropped: wanted %t, error %v", wanted, err)
			}
			fault, _ := errors.AsType[*work.Fault](m.Fault)
			if !errors.Is(m.Fault, test.want) || fault == nil {
				t.Fatalf("fault %v, want %v", m.Fault, test.want)
			}
			class := map[error]work.Class{
				serde.ErrMalformed: work.ClassUndecodable, serde.ErrUnknownSchema: work.ClassUnknownSchema,
			}[test.want]
			if class == "" {
				class = work.ClassHeaders
			}
			if fault.Class != class || fault.Passing != (class == work.ClassUnknownSchema) {
				t.Errorf("class %s, passing %t, want %s", fault.Class, fault.Passing, class)
			}
			want := string(r.Key)
			if len(want) > 255 || !utf8.ValidString(want) || strings.Contains(want, "\x00") {
				want = ""
			}
			if m.Key != want {
				t.Errorf("G8: key %q of a record with the key %q, want %q", m.Key, r.Key, want)
			}
			id := eventID
			if test.newID {
				id = fmt.Sprintf("3/77/%x", sha256.Sum256(r.Value))
			}
			if m.ID != id || m.Digest != sha256.Sum256(r.Value) {
				t.Errorf("id %q, want %q, or another digest", m.ID, id)
			}
			if !bytes.Equal(m.Record.Value, r.Value) || len(m.Record.Headers) != len(r.Headers) {
				t.Error("the record is not kept as it was")
			}
		})
	}
}

func rekey(key string) func(*kgo.Record) {
	return func(r *kgo.Record) {
		r.Key = []byte(key)
		set(r, "ce_subject", key)
	}
}

func revalue(value []byte) func(*kgo.Record) { return func(r *kgo.Record) { r.Value = value } }

func TestDecodeDropsATraceThatIsNone(t *testing.T) {
	c := newContracts(t)
	for _, bad := range []string{
		"x", trace + "0", strings.ToUpper(trace), strings.ReplaceAll(trace, "-", "_"), strings.Repeat("-", len(trace)),
		strings.Repeat("a\x00", 1<<10), "\xff" + trace[1:],
	} {
		r := c.record(t, &paid{OrderID: orderID, Amount: 1})
		set(r, "traceparent", bad)
		m, wanted, err := c.decoder.Decode(t.Context(), r)
		if err != nil || !wanted || m.Fault != nil || m.Cause.Trace != "" {
			t.Errorf("traceparent %.60q: trace %q, fault %v, error %v", bad, m.Cause.Trace, m.Fault, err)
		}
	}
}

func TestDecodeFailsWhileTheRegistryIsAway(t *testing.T) {
	c := newContracts(t)
	c.registry.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, `{"error_code":50001,"message":"away"}`, http.StatusBadGateway)
		return true
	})
	const later = 4711
	r := c.record(t, &voided{OrderID: orderID})
	binary.BigEndian.PutUint32(r.Value[1:], later) // a schema that is registered after the start
	c.registry.SeedSchema(voidedType.Subject(), 2, later, sr.Schema{Schema: voidedType.Schema})
	if _, _, err := c.decoder.Decode(t.Context(), r); !errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("error %v, want that the registry is away", err)
	}
	c.registry.ClearInterceptors()
	if m, wanted, err := c.decoder.Decode(t.Context(), r); err != nil || wanted || m.Fault != nil {
		t.Errorf("when it is back: wanted %t, fault %v, error %v", wanted, m.Fault, err)
	}
}

func TestDecodeFaultsNothingBecauseItsCallerGaveUp(t *testing.T) {
	c := newContracts(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m, _, err := c.decoder.Decode(ctx, c.record(t, &voided{OrderID: orderID}))
	if err == nil || m.Fault != nil {
		t.Errorf("fault %v, error %v; want an error only", m.Fault, err)
	}
}
