package outbox

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Metrics of a Relay.
type Metrics struct {
	published, failures metric.Int64Counter
	stops               metric.Int64Gauge
	waited              metric.Float64Histogram
}

// NewMetrics registers the instruments of a Relay with meter.
func NewMetrics(meter metric.Meter) (*Metrics, error) {
	m := &Metrics{}
	var err error
	if m.published, err = meter.Int64Counter("quadrille.outbox.published",
		metric.WithDescription("Rows acknowledged by the broker and deleted.")); err != nil {
		return nil, fmt.Errorf("metric quadrille.outbox.published: %w", err)
	}
	if m.failures, err = meter.Int64Counter("quadrille.outbox.failures",
		metric.WithDescription("Rounds of a lane that failed.")); err != nil {
		return nil, fmt.Errorf("metric quadrille.outbox.failures: %w", err)
	}
	if m.stops, err = meter.Int64Gauge("quadrille.outbox.stopped",
		metric.WithDescription("1 while a topic's lane stands still at a failure, 0 while it publishes.")); err != nil {
		return nil, fmt.Errorf("metric quadrille.outbox.stopped: %w", err)
	}
	if m.waited, err = meter.Float64Histogram("quadrille.outbox.wait", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest row of a round when it was deleted."),
		metric.WithExplicitBucketBoundaries(.001, .005, .01, .05, .1, .5, 1, 5, 30, 300)); err != nil {
		return nil, fmt.Errorf("metric quadrille.outbox.wait: %w", err)
	}
	return m, nil
}

func noMetrics() *Metrics {
	m, err := NewMetrics(noop.Meter{})
	if err != nil {
		panic(err) // the no-op meter accepts everything
	}
	return m
}

func topicAttribute(topic string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("messaging.destination.name", topic))
}

func (m *Metrics) relayed(ctx context.Context, topic string, rows int, age time.Duration) {
	m.published.Add(ctx, int64(rows), topicAttribute(topic))
	m.waited.Record(ctx, age.Seconds(), topicAttribute(topic))
}

// begin makes the series of a topic exist before anything happens, or the first failure would not be seen as a rise.
func (m *Metrics) begin(topic string) {
	ctx, of := context.Background(), topicAttribute(topic)
	m.published.Add(ctx, 0, of)
	m.failures.Add(ctx, 0, of)
	m.stops.Record(ctx, 0, of)
}

func (m *Metrics) stopped(topic string, n int64) {
	m.stops.Record(context.Background(), n, topicAttribute(topic))
}

func (m *Metrics) failed(ctx context.Context, topic string) {
	m.failures.Add(ctx, 1, topicAttribute(topic))
}
