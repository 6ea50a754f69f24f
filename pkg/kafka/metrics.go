package kafka

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Metrics of consumers.
type Metrics struct {
	stops   metric.Int64Gauge
	skipped metric.Int64Counter
	unknown metric.Int64Counter
}

// NewMetrics registers the instruments of a Consumer with meter.
func NewMetrics(meter metric.Meter) (*Metrics, error) {
	skipped, err := meter.Int64Counter("quadrille.consumer.skipped",
		metric.WithDescription("Events skipped because their type is unknown or of no interest."))
	if err != nil {
		return nil, fmt.Errorf("metric quadrille.consumer.skipped: %w", err)
	}
	unknown, err := meter.Int64Counter("quadrille.consumer.unknown_fields",
		metric.WithDescription("Events read without some of their fields, which a newer version has and ours lacks."))
	if err != nil {
		return nil, fmt.Errorf("metric quadrille.consumer.unknown_fields: %w", err)
	}
	stops, err := meter.Int64Gauge("quadrille.consumer.stopped",
		metric.WithDescription("1 for a partition that cannot be read, such as an offset out of range, 0 once it can."))
	if err != nil {
		return nil, fmt.Errorf("metric quadrille.consumer.stopped: %w", err)
	}
	return &Metrics{stops: stops, skipped: skipped, unknown: unknown}, nil
}

func noMetrics() *Metrics {
	m, err := NewMetrics(noop.Meter{})
	if err != nil {
		panic(err) // the no-op meter accepts everything
	}
	return m
}

func (m *Metrics) stopped(ctx context.Context, group, topic string, partition int32, n int64) {
	m.stops.Record(ctx, n, partitionAttributes(group, topic, partition))
}

func partitionAttributes(group, topic string, partition int32) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("messaging.consumer.group.name", group),
		attribute.String("messaging.destination.name", topic),
		attribute.Int("messaging.destination.partition.id", int(partition)))
}

func (m *Metrics) skip(ctx context.Context, topic, eventType string, known bool) {
	m.skipped.Add(ctx, 1, metric.WithAttributes(attribute.String("messaging.destination.name", topic),
		attribute.String("event.type", eventType), attribute.Bool("known", known)))
}

func (m *Metrics) unknownFields(ctx context.Context, topic, eventType string) {
	m.unknown.Add(ctx, 1, metric.WithAttributes(attribute.String("messaging.destination.name", topic),
		attribute.String("event.type", eventType)))
}
