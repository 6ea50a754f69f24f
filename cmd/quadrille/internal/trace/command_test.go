package trace

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shown is an answer of Jaeger: an order that was placed and, by another request, cancelled.
const shown = `{"data": [
  {"traceID": "t2", "processes": {"p1": {"serviceName": "order"}}, "spans": [
    {"spanID": "z", "operationName": "POST /v1/orders/{id}/cancellation", "references": [], "startTime": 2000000,
      "duration": 1500, "processID": "p1", "tags": [{"key": "http.response.status_code", "value": 202}]}]},
  {"traceID": "t1", "processes": {"p1": {"serviceName": "order"}, "p2": {"serviceName": "payment"}}, "spans": [
    {"spanID": "d", "operationName": "unit of work", "processID": "p2", "startTime": 1004000, "duration": 16000,
      "references": [{"refType": "CHILD_OF", "traceID": "t1", "spanID": "c"}],
      "tags": [{"key": "quadrille.scope", "value": "call"}]},
    {"spanID": "a", "operationName": "POST /v1/orders", "processID": "p1", "startTime": 1000000, "duration": 2500,
      "references": [], "tags": [{"key": "http.response.status_code", "value": 202}, {"key": "span.kind", "value": "server"}]},
    {"spanID": "c", "operationName": "process order.events", "processID": "p2", "startTime": 1003000, "duration": 1250,
      "references": [{"refType": "CHILD_OF", "traceID": "t1", "spanID": "b"},
        {"refType": "FOLLOWS_FROM", "traceID": "t9", "spanID": "y"}],
      "tags": [{"key": "cloudevents.event_type", "value": "quadrille.order.OrderPlaced"},
        {"key": "error", "value": true}, {"key": "error.type", "value": "not_yet"}, {"key": "quadrille.attempt", "value": 2}]},
    {"spanID": "b", "operationName": "send order.events", "processID": "p1", "startTime": 1001000, "duration": 900,
      "references": [{"refType": "CHILD_OF", "traceID": "t1", "spanID": "a"}],
      "tags": [{"key": "cloudevents.event_type", "value": "quadrille.order.OrderPlaced"}]}]}
]}`

func serve(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("tags"); got != `{"quadrille.key":"o"}` || r.URL.Query().Get("service") != "order" {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(status)
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheTreeOfAnOrder(t *testing.T) {
	var out bytes.Buffer
	if err := (Command{Order: "o", Jaeger: serve(t, http.StatusOK, shown)}).run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `trace t1

     BEGAN        TOOK
    0.0 ms      2.5 ms  order  POST /v1/orders  202
    1.0 ms      0.9 ms  └─ order  send order.events  OrderPlaced
    3.0 ms      1.2 ms     └─ payment  process order.events  OrderPlaced  attempt 2  failed: not_yet
    4.0 ms     16.0 ms        └─ payment  unit of work  call

               20.0 ms  4 spans of order, payment

trace t2

     BEGAN        TOOK
    0.0 ms      1.5 ms  order  POST /v1/orders/{id}/cancellation  202

                1.5 ms  1 span of order
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error("printed (-want +got):\n" + diff)
	}
}

func TestATraceAsJSON(t *testing.T) {
	var out bytes.Buffer
	c := Command{Order: "o", Jaeger: serve(t, http.StatusOK, shown), JSON: true}
	if err := c.run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(out.String(), "\n")
	var d description
	if err := json.Unmarshal([]byte(first), &d); err != nil {
		t.Fatal(err)
	}
	if d.OrderID != "o" || d.TraceID != "t1" || d.Took != 20_000 || len(d.Spans) != 4 {
		t.Fatalf("%+v", d)
	}
	want := span{
		ID: "c", Parent: "b", Depth: 2, Service: "payment", Name: "process order.events", Kind: "internal", Began: 3000,
		Took: 1250, Failed: true, Links: []string{"t9/y"}, Attributes: map[string]string{
			"cloudevents.event_type": "quadrille.order.OrderPlaced", "error.type": "not_yet", "quadrille.attempt": "2",
		},
	}
	if diff := cmp.Diff(want, d.Spans[2]); diff != "" {
		t.Error("third span (-want +got):\n" + diff)
	}
}

func TestWhatIsMissingIsNamedWithItsCure(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, tc := range map[string]struct {
		url  string
		want []string
	}{
		"nobody there":  {closed.URL, []string{"no Jaeger answers at " + closed.URL, "start Jaeger", "--jaeger"}},
		"somebody else": {serve(t, http.StatusNotFound, "<html>"), []string{"no Jaeger answers", "404 Not Found", "--jaeger"}},
		"a refusal": {serve(t, http.StatusBadRequest, `{"errors":[{"code":400,"msg":"unable to parse"}]}`),
			[]string{"refuses: unable to parse"}},
		"no trace": {serve(t, http.StatusOK, `{"data":[]}`),
			[]string{"no trace of order o", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER"}},
		"no URL": {"127.0.0.1:16686", []string{"--jaeger", "http://127.0.0.1:16686"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := Command{Order: "o", Jaeger: tc.url}.run(t.Context(), &bytes.Buffer{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}
