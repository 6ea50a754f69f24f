package event_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

func placed() event.Event {
	return event.Event{
		ID: event.Derive("order", "m", 0), Type: "quadrille.order.OrderPlaced", Source: "/quadrille/order",
		Key: "order-1", Sequence: 7, Time: time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC),
		Cause: event.Cause{
			ID: event.Derive("order", "m", 1), Correlation: event.Derive("order", "m", 2),
			Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		},
	}
}

func TestParseReadsWhatHeadersWrote(t *testing.T) {
	for name, change := range map[string]func(*event.Event){
		"everything":       func(*event.Event) {},
		"not traced":       func(e *event.Event) { e.Cause.Trace = "" },
		"whole second":     func(e *event.Event) { e.Time = e.Time.Truncate(time.Second) },
		"largest sequence": func(e *event.Event) { e.Sequence = 1<<63 - 1 },
	} {
		t.Run(name, func(t *testing.T) {
			want := placed()
			change(&want)
			got, err := event.Parse([]byte(want.Key), event.Headers(want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("parsed (-want +got):\n" + diff)
			}
		})
	}
}

func TestHeadersAreThoseOfTheCloudEventsBinding(t *testing.T) {
	var got []string
	for _, h := range event.Headers(placed()) {
		got = append(got, h.Key)
	}
	want := []string{"ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_sequence",
		"ce_correlationid", "ce_causationid", "content-type", "traceparent"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("headers (-want +got):\n" + diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, header, value string }{
		{"id is no UUID", "ce_id", "7"},
		{"id in another notation", "ce_id", "urn:uuid:0190b2c4-7d4e-7c1a-9f00-3a5b6c7d8e9f"},
		{"correlation is no UUID", "ce_correlationid", "x"},
		{"causation is no UUID", "ce_causationid", "x"},
		{"no type", "ce_type", ""},
		{"no source", "ce_source", ""},
		{"another version of the specification", "ce_specversion", "0.3"},
		{"subject is not the key", "ce_subject", "order-2"},
		{"sequence is no number", "ce_sequence", "seven"},
		{"sequence is zero", "ce_sequence", "0"},
		{"sequence is negative", "ce_sequence", "-1"},
		{"sequence overflows", "ce_sequence", "9223372036854775808"},
		{"time is no time", "ce_time", "yesterday"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			headers := event.Headers(placed())
			at := slices.IndexFunc(headers, func(h event.Header) bool { return h.Key == tc.header })
			headers[at].Value = []byte(tc.value)
			refused(t, tc.header, headers)
		})
		t.Run(tc.header+" is missing", func(t *testing.T) {
			headers := slices.DeleteFunc(event.Headers(placed()), func(h event.Header) bool { return h.Key == tc.header })
			refused(t, tc.header, headers)
		})
	}
}

// refused expects an error that names the header, and all the rest of the event.
func refused(t *testing.T, header string, headers []event.Header) {
	t.Helper()
	got, err := event.Parse([]byte("order-1"), headers)
	if !errors.Is(err, event.ErrHeaders) || !strings.Contains(err.Error(), header) {
		t.Errorf("error %v, want ErrHeaders that names %s", err, header)
	}
	if header == "ce_id" {
		if got.ID != "" {
			t.Errorf("id %q", got.ID)
		}
	} else if got.ID != placed().ID {
		t.Errorf("id %q, want %s", got.ID, placed().ID)
	}
}

func TestParseNamesEveryFaultAtOnce(t *testing.T) {
	_, err := event.Parse(nil, nil)
	for _, header := range []string{"ce_id", "ce_correlationid", "ce_causationid", "ce_type", "ce_source",
		"ce_specversion", "ce_subject", "ce_sequence", "ce_time"} {
		if err == nil || !strings.Contains(err.Error(), header) {
			t.Errorf("%s is not in: %v", header, err)
		}
	}
}

func TestParseTakesTheFirstOfEqualHeadersAndIgnoresUnknownOnes(t *testing.T) {
	headers := append(event.Headers(placed()),
		event.Header{Key: "ce_id", Value: []byte(event.NewID())}, event.Header{Key: "x-theirs", Value: []byte{0xff}})
	got, err := event.Parse([]byte("order-1"), headers)
	if err != nil || got.ID != placed().ID {
		t.Errorf("id %s, error %v", got.ID, err)
	}
}

// TestParseIgnoresAMalformedTrace, as W3C Trace Context demands: it says nothing of the event.
func TestParseIgnoresAMalformedTrace(t *testing.T) {
	for _, trace := range []string{
		"", "x", "\xff\x00", strings.Repeat("0", 1<<10),
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
	} {
		e := placed()
		e.Cause.Trace = trace
		got, err := event.Parse([]byte(e.Key), event.Headers(e))
		if err != nil || got.Cause.Trace != "" {
			t.Errorf("trace %q: parsed as %q, error %v", trace, got.Cause.Trace, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	e := placed()
	f.Add("order-1", e.ID, e.Cause.Correlation, e.Type, "order-1", "7", "2026-01-02T03:04:05Z", e.Cause.Trace)
	f.Add("", "", "", "", "", "-1", "0000-00-00", "\xff")
	f.Fuzz(func(t *testing.T, key, id, correlation, typ, subject, sequence, at, trace string) {
		header := func(key, value string) event.Header { return event.Header{Key: key, Value: []byte(value)} }
		headers := []event.Header{
			header("ce_specversion", "1.0"), header("ce_source", "/quadrille/order"), header("ce_id", id),
			header("ce_correlationid", correlation), header("ce_causationid", correlation), header("ce_type", typ),
			header("ce_subject", subject), header("ce_sequence", sequence), header("ce_time", at),
			header("traceparent", trace),
		}
		got, err := event.Parse([]byte(key), headers)
		if got.ID != "" && (len(got.ID) != 36 || uuid.Validate(got.ID) != nil) {
			t.Errorf("id %q", got.ID)
		}
		if !utf8.ValidString(got.Cause.Trace) {
			t.Errorf("trace %q", got.Cause.Trace)
		}
		if err != nil {
			if !errors.Is(err, event.ErrHeaders) {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := event.Parse([]byte(key), event.Headers(got))
		if err != nil {
			t.Fatalf("what was parsed cannot be parsed again: %v", err)
		}
		if diff := cmp.Diff(got, again); diff != "" {
			t.Error("parsed again (-first +again):\n" + diff)
		}
	})
}
