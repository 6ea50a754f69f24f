// Package telemetry sets up what a process says about itself: traces by OTLP, metrics for Prometheus, logs as JSON.
// No provider is set globally: what needs one is handed it.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// MeasureWithin bounds a look at a database or a broker that is taken when metrics are collected. Looks are taken one
// after the other, and a service has four and a ping of a second: with all that it looks at silent a scrape is answered
// in 7 s, less than the 10 that Prometheus gives it by default. What is slow but alive is to be measured all the same.
const MeasureWithin = 1500 * time.Millisecond

// Config of a process's telemetry.
type Config struct {
	// Service, Version and Revision name the process, such as "order", "1.0.0" and a commit.
	Service, Version, Revision string
	// LogLevel is the least severe level written. Defaults to info.
	LogLevel slog.Level
	// LogTo gets one JSON object a line. Defaults to standard error.
	LogTo io.Writer
	// Logger takes the place of LogLevel and LogTo. Defaults to none.
	Logger *slog.Logger
}

// Telemetry of a process.
type Telemetry struct {
	Logger *slog.Logger
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider
	// Spans makes the spans of messages, none unless spans are exported.
	Spans *Spans
	// Metrics serves the metrics in Prometheus's format.
	Metrics http.Handler

	shutdown []func(context.Context) error
}

// Start sets telemetry up. Spans are exported if OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is
// set, as the OpenTelemetry environment variables say; without an exporter they still carry the trace's identity. What
// the SDK fails at is reported to one place of the process: to the log of whoever started last.
func Start(ctx context.Context, cfg Config) (*Telemetry, error) {
	if cfg.LogTo == nil {
		cfg.LogTo = os.Stderr
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewJSONHandler(cfg.LogTo, &slog.HandlerOptions{Level: cfg.LogLevel}))
	}
	t := &Telemetry{Logger: Identified(cfg.Logger).With("service", cfg.Service)}

	// The environment comes last: an operator's OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES wins.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", cfg.Service), attribute.String("service.version", cfg.Version),
		attribute.String("vcs.ref.head.revision", cfg.Revision)),
		resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("telemetry resource: %w", err)
	}

	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	var processor sdktrace.SpanProcessor
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" {
		exporter, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("trace exporter: %w", err)
		}
		processor = sdktrace.NewBatchSpanProcessor(legibly{exporter}, queueOptions()...)
		options = append(options, sdktrace.WithSpanProcessor(processor))
	}
	tracer := sdktrace.NewTracerProvider(options...)
	if processor != nil {
		t.Spans = NewSpans(tracer, processor, res)
	}
	t.Tracer, t.shutdown = tracer, append(t.shutdown, tracer.Shutdown)

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		return nil, fmt.Errorf("metrics exporter: %w", err)
	}
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(res))
	t.Meter, t.shutdown = meter, append(t.shutdown, meter.Shutdown)
	t.Metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})
	t.shutdown = append(t.shutdown, logTrouble(t.Logger))
	return t, nil
}

// Shutdown exports what is left.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	var errs []error
	for _, fn := range t.shutdown {
		errs = append(errs, fn(ctx))
	}
	return errors.Join(errs...)
}
