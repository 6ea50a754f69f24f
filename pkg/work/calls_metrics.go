package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// CallsMetrics of Calls.
type CallsMetrics struct {
	ended   metric.Int64Counter
	running metric.Int64UpDownCounter
	state   metric.Int64Gauge
}

// NewCallsMetrics registers the instruments of Calls with meter. Their attribute outside says who is called.
func NewCallsMetrics(meter metric.Meter) (*CallsMetrics, error) {
	ended, err1 := meter.Int64Counter("quadrille.calls.ended", metric.WithDescription(
		"Outside calls that ended, by outcome: answered, unanswered, or not_made and given back."))
	running, err2 := meter.Int64UpDownCounter("quadrille.calls.running", metric.WithDescription(
		"Outside calls that are being made."))
	state, err3 := meter.Int64Gauge("quadrille.calls.breaker.state", metric.WithDescription(
		"Whether the outside is called: 0 closed, as calls come; 1 half-open, one finds out; 2 open, not at all."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("metrics of outside calls: %w", err)
	}
	return &CallsMetrics{ended, running, state}, nil
}

func noCallsMetrics() *CallsMetrics {
	m, err := NewCallsMetrics(noop.Meter{})
	if err != nil {
		panic(err) // the no-op meter accepts everything
	}
	return m
}

func (m *CallsMetrics) breaker(outside string, state gobreaker.State) {
	m.state.Record(context.Background(), int64(state), metric.WithAttributes(attribute.String("outside", outside)))
}

func (m *CallsMetrics) run(outside string, change int64) {
	m.running.Add(context.Background(), change, metric.WithAttributes(attribute.String("outside", outside)))
}

func (m *CallsMetrics) end(outside string, err error) {
	outcome := "answered"
	switch {
	case errors.Is(err, errNotBegun):
		outcome = "not_made"
	case err != nil:
		outcome = "unanswered"
	}
	m.ended.Add(context.Background(), 1,
		metric.WithAttributes(attribute.String("outside", outside), attribute.String("outcome", outcome)))
}
