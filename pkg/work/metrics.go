package work

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Metrics of a Unit.
type Metrics struct {
	messages, duplicates, refused, facts, conflicts, outages metric.Int64Counter
	letters                                                  metric.Int64Counter
	batch                                                    metric.Int64Histogram
}

type counts struct{ messages, duplicates, refused, facts int }

// NewMetrics registers the instruments of a Unit with meter.
func NewMetrics(meter metric.Meter) (*Metrics, error) {
	m := &Metrics{}
	for _, c := range []struct {
		to         *metric.Int64Counter
		name, help string
	}{
		{&m.messages, "quadrille.work.messages", "Messages committed, whatever their outcome."},
		{&m.duplicates, "quadrille.work.duplicates", "Messages that the inbox knew."},
		{&m.refused, "quadrille.work.refused", "Messages refused: the caller's own affair, or set aside."},
		{&m.letters, "quadrille.work.letters", "Messages set aside, or failed again, by state and class."},
		{&m.facts, "quadrille.work.facts", "Domain events, private ones included."},
		{&m.conflicts, "quadrille.work.conflicts", "Transactions run again because another came first."},
		{&m.outages, "quadrille.work.outages", "Transactions run again because the database was away."},
	} {
		var err error
		if *c.to, err = meter.Int64Counter(c.name, metric.WithDescription(c.help)); err != nil {
			return nil, fmt.Errorf("metric %s: %w", c.name, err)
		}
		if c.to != &m.letters { // which has a series for each state and class
			(*c.to).Add(context.Background(), 0) // or the first would not be seen as a rise
		}
	}
	var err error
	if m.batch, err = meter.Int64Histogram("quadrille.work.batch.size",
		metric.WithDescription("Messages in one transaction."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 20, 50, 100, 200, 500)); err != nil {
		return nil, fmt.Errorf("metric quadrille.work.batch.size: %w", err)
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

func (m *Metrics) committed(ctx context.Context, c counts) {
	m.messages.Add(ctx, int64(c.messages))
	m.duplicates.Add(ctx, int64(c.duplicates))
	m.refused.Add(ctx, int64(c.refused))
	m.facts.Add(ctx, int64(c.facts))
	m.batch.Record(ctx, int64(c.messages))
}

func (m *Metrics) letter(ctx context.Context, l aside) {
	m.letters.Add(ctx, 1, metric.WithAttributes(attribute.String("scope", l.row.Scope),
		attribute.String("state", l.state), attribute.String("class", string(l.row.Class))))
}

func (m *Metrics) conflict(ctx context.Context) { m.conflicts.Add(ctx, 1) }
func (m *Metrics) outage(ctx context.Context)   { m.outages.Add(ctx, 1) }
