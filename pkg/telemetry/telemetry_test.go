package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// quiet clears the variables that this machine may have set.
func quiet(t *testing.T) {
	for _, variable := range []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_TRACES_SAMPLER", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME",
	} {
		t.Setenv(variable, "")
	}
}

func start(t *testing.T, cfg telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

// receiver is an OTLP endpoint that keeps the names of the spans it is sent, by service.
func receiver(t *testing.T) (url string, spans <-chan string) {
	t.Helper()
	received := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &request); err != nil {
			t.Error(err)
		}
		for _, resource := range request.GetResourceSpans() {
			service := ""
			for _, a := range resource.GetResource().GetAttributes() {
				if a.GetKey() == "service.name" || a.GetKey() == "service.version" {
					service += a.GetValue().GetStringValue() + " "
				}
			}
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					received <- r.URL.Path + " " + service + span.GetName()
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	return server.URL, received
}

func TestSpansAreExportedWhereTheEnvironmentSays(t *testing.T) {
	tests := map[string]struct{ variable, path, want string }{
		"the endpoint":       {"OTEL_EXPORTER_OTLP_ENDPOINT", "", "/v1/traces order 1.2.3 place"},
		"that of the traces": {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/here", "/here order 1.2.3 place"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			quiet(t)
			url, spans := receiver(t)
			t.Setenv(test.variable, url+test.path)
			tel := start(t, telemetry.Config{Service: "order", Version: "1.2.3", LogTo: io.Discard})
			_, span := tel.Tracer.Tracer("test").Start(t.Context(), "place")
			span.End()
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-spans:
				if got != test.want {
					t.Errorf("exported %q, want %q", got, test.want)
				}
			default:
				t.Error("Shutdown has exported nothing")
			}
		})
	}
}

func TestWithoutAnEndpointSpansStillHaveAnIdentity(t *testing.T) {
	quiet(t)
	var log strings.Builder
	tel := start(t, telemetry.Config{Service: "order", LogTo: &log})
	ctx, span := tel.Tracer.Tracer("test").Start(t.Context(), "place")
	if telemetry.Traceparent(ctx) == "" {
		t.Error("no traceparent")
	}
	span.End()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if log.Len() > 0 {
		t.Errorf("something was exported, or tried to be: %s", log.String())
	}
}

func TestMetricsAreServed(t *testing.T) {
	quiet(t)
	tel := start(t, telemetry.Config{Service: "order", LogTo: io.Discard})
	counter, err := tel.Meter.Meter("test").Int64Counter("quadrille.test.turns")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	response := httptest.NewRecorder()
	tel.Metrics.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if response.Code != http.StatusOK {
		t.Errorf("status %d", response.Code)
	}
	for _, want := range []string{"quadrille_test_turns_total{", "} 3\n", "go_goroutines", `service_name="order"`} {
		if !strings.Contains(response.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// Two in one process, as `quadrille up --in-process` has them, must not meet.
func TestNothingIsSetGlobally(t *testing.T) {
	quiet(t)
	for _, name := range []string{"order", "payment"} {
		tel := start(t, telemetry.Config{Service: name, LogTo: io.Discard})
		if _, err := tel.Meter.Meter("test").Int64Counter("quadrille.test.turns"); err != nil {
			t.Error(err)
		}
	}
	if _, span := otel.GetTracerProvider().Tracer("test").Start(t.Context(), "x"); span.SpanContext().IsValid() {
		t.Error("a global tracer provider was set")
	}
}

func TestLogLinesAreJSONFromTheirLevelUp(t *testing.T) {
	quiet(t)
	var log bytes.Buffer
	tel := start(t, telemetry.Config{Service: "order", LogLevel: slog.LevelWarn, LogTo: &log})
	tel.Logger.Info("unheard")
	tel.Logger.Warn("heard", "key", "a")
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("log %q: %v", log.String(), err)
	}
	if line["msg"] != "heard" || line["service"] != "order" || line["key"] != "a" {
		t.Errorf("line %v", line)
	}
}

// What the SDK fails at is a line of the log as any other, and not one for each scrape.
func TestTroubleOfTheSDKIsLogged(t *testing.T) {
	quiet(t)
	var log bytes.Buffer
	tel := start(t, telemetry.Config{Service: "order", LogTo: &log})
	meter := tel.Meter.Meter("test")
	gauge, err := meter.Int64ObservableGauge("depth")
	if err != nil {
		t.Fatal(err)
	}
	_, err = meter.RegisterCallback(func(context.Context, metric.Observer) error {
		return errors.New("the database is away")
	}, gauge)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		scrape := httptest.NewRecorder()
		tel.Metrics.ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if scrape.Code != http.StatusOK {
			t.Errorf("status %d", scrape.Code)
		}
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	otel.Handle(errors.New("after the end"))
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil { // one line, or it would be no JSON
		t.Fatalf("%v: %s", err, &log)
	}
	if line["service"] != "order" || line["level"] != "WARN" || line["error"] != "the database is away" {
		t.Errorf("the line is %v", line)
	}
}
