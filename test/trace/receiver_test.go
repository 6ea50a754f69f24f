package trace

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes spans by OTLP over HTTP and shows them by the little of Jaeger's API that its client asks for, so that
// one test holds with Jaeger and without.
type receiver struct {
	mu     sync.Mutex
	traces map[string][]received
}

type received struct {
	service string
	*otlp.Span
}

// newReceiver returns the URL of one, which takes spans and shows them.
func newReceiver(t *testing.T) string {
	t.Helper()
	r := &receiver{traces: make(map[string][]received)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, q *http.Request) {
		if err := r.take(q); err != nil {
			t.Errorf("spans that cannot be read: %v", err)
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	mux.HandleFunc("GET /api/traces", r.find)
	mux.HandleFunc("GET /api/traces/{id}", func(w http.ResponseWriter, q *http.Request) { r.show(w, q.PathValue("id")) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func (r *receiver) take(q *http.Request) error {
	body := io.Reader(q.Body)
	if q.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &request); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range request.GetResourceSpans() {
		service := attributes(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				id := hex.EncodeToString(span.GetTraceId())
				r.traces[id] = append(r.traces[id], received{service, span})
			}
		}
	}
	return nil
}

// find shows the traces in which a span of the service has all the tags.
func (r *receiver) find(w http.ResponseWriter, q *http.Request) {
	var wanted map[string]string
	if err := json.Unmarshal([]byte(q.FormValue("tags")), &wanted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	matches := func(s received) bool {
		has := attributes(s.GetAttributes())
		for name, value := range wanted {
			if has[name] != value {
				return false
			}
		}
		return s.service == q.FormValue("service")
	}
	r.mu.Lock()
	var ids []string
	for id, spans := range r.traces {
		for _, s := range spans {
			if matches(s) {
				ids = append(ids, id)
				break
			}
		}
	}
	r.mu.Unlock()
	r.show(w, ids...)
}

type object = map[string]any

func (r *receiver) show(w http.ResponseWriter, ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	data := []object{}
	for _, id := range ids {
		spans, processes := []object{}, object{}
		for _, s := range r.traces[id] {
			spans = append(spans, s.object(id))
			processes[s.service] = object{"serviceName": s.service}
		}
		if len(spans) > 0 {
			data = append(data, object{"traceID": id, "spans": spans, "processes": processes})
		}
	}
	_ = json.NewEncoder(w).Encode(object{"data": data}) // a failed write means that the caller is gone
}

// object is the span as Jaeger shows it.
func (s received) object(trace string) object {
	tags := []object{{"key": "span.kind", "value": strings.ToLower(strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_"))}}
	for name, value := range attributes(s.GetAttributes()) {
		tags = append(tags, object{"key": name, "value": value})
	}
	if s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR {
		tags = append(tags, object{"key": "error", "value": true})
	}
	references := []object{}
	if parent := hex.EncodeToString(s.GetParentSpanId()); parent != "" {
		references = append(references, object{"refType": "CHILD_OF", "traceID": trace, "spanID": parent})
	}
	for _, l := range s.GetLinks() {
		references = append(references, object{
			"refType": "FOLLOWS_FROM", "traceID": hex.EncodeToString(l.GetTraceId()),
			"spanID": hex.EncodeToString(l.GetSpanId()),
		})
	}
	return object{
		"spanID": hex.EncodeToString(s.GetSpanId()), "operationName": s.GetName(), "references": references, "tags": tags,
		"startTime": s.GetStartTimeUnixNano() / 1000, "processID": s.service,
		"duration": (s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano()) / 1000,
	}
}

func attributes(pairs []*common.KeyValue) map[string]string {
	named := make(map[string]string, len(pairs))
	for _, a := range pairs {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			named[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			named[a.GetKey()] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			named[a.GetKey()] = fmt.Sprint(v.BoolValue)
		default:
			named[a.GetKey()] = fmt.Sprint(v)
		}
	}
	return named
}
