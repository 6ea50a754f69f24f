//go:build observability

package observability

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

// collectorPath is where `make bin/collector` puts it.
const collectorPath = "../../bin/collector"

// collector is the OpenTelemetry collector with the deployed configuration. What stands for Jaeger counts what it gets.
type collector struct {
	otlp    string   // where it takes spans
	metrics []string // where its own metrics and those that it makes are scraped
	traces  atomic.Int64
}

// collect starts the collector for a broker, nil if it was not built.
func collect(t *testing.T, broker string) *collector {
	t.Helper()
	if _, err := os.Stat(collectorPath); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("make bin/collector has not built it: %v", err)
		}
		t.Logf("SKIPPED: the collector, for make bin/collector has not built it: %v", err)
		return nil
	}
	addrs, err := launch.FreeAddresses(5)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{otlp: "http://" + addrs[0], metrics: addrs[1:3]}
	jaeger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/v1/traces" {
			c.traces.Add(1)
		}
	}))
	t.Cleanup(jaeger.Close)
	host, port, _ := strings.Cut(addrs[2], ":")
	config := edited(t, t.TempDir(), "collector.yaml", func(config object) {
		receivers := config["receivers"].(object)
		receivers["otlp"] = object{"protocols": object{
			"http": object{"endpoint": addrs[0]}, "grpc": object{"endpoint": addrs[3]},
		}}
		kafka := receivers["kafkametrics"].(object)
		kafka["brokers"], kafka["collection_interval"] = []string{broker}, "1s"
		config["connectors"].(object)["spanmetrics"].(object)["metrics_flush_interval"] = "1s"
		exporters := config["exporters"].(object)
		exporters["otlphttp/jaeger"].(object)["endpoint"] = jaeger.URL
		exporters["prometheus"].(object)["endpoint"] = addrs[1]
		config["extensions"] = object{"health_check": object{"endpoint": addrs[4]}}
		config["service"].(object)["telemetry"] = object{"metrics": object{"readers": []object{
			{"pull": object{"exporter": object{"prometheus": object{"host": host, "port": number(t, port)}}}},
		}}}
	})
	serve(t, collectorPath, "http://"+addrs[4], "--config", config)
	return c
}

func number(t *testing.T, text string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// collected demands that spans went on, became metrics, and that the brokers told of every group.
func (w *watched) collected(t *testing.T, since time.Time) {
	if w.collector == nil {
		t.Skip("SKIPPED: there is no collector")
	}
	if w.collector.traces.Load() == 0 {
		t.Error("no spans were handed on")
	}
	for service := range w.Admin {
		for _, query := range []string{
			fmt.Sprintf(`traces_span_metrics_calls_total{service_name="%s"}`, service),
			fmt.Sprintf(`traces_span_metrics_duration_seconds_count{service_name="%s"}`, service),
			fmt.Sprintf(`kafka_consumer_group_lag{group="%s"}`, service),
		} {
			n, err := w.prometheus.samples(t.Context(), query, since, time.Now())
			if err != nil || n == 0 {
				t.Errorf("%d samples, %v: %s", n, err, query)
			}
		}
	}
}
