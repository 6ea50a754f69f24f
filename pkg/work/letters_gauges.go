package work

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// OpenLetters is how many letters of one kind are open, and since when the oldest is.
type OpenLetters struct {
	State  LetterState `db:"state"`
	Scope  string      `db:"scope"`
	Class  Class       `db:"class"`
	Count  int64       `db:"letters"`
	Oldest time.Time   `db:"oldest"`
}

// Count returns the letters that are parked or dead.
func (l *Letters) Count(ctx context.Context) (counts []OpenLetters, err error) {
	err = l.db.Read(ctx, func(tx *sqldb.Tx) error {
		counts, err = sqldb.Select[OpenLetters](ctx, tx, `
			SELECT i.state, i.scope, l.class, count(*) AS letters, min(coalesce(l.first_failed, l.arrived_at)) AS oldest
			FROM inbox i JOIN letters l ON l.scope = i.scope AND l.id = i.id
			WHERE i.state IN ('parked', 'dead') GROUP BY i.state, i.scope, l.class ORDER BY i.state, i.scope, l.class`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count letters: %w", err)
	}
	return counts, nil
}

// Observe keeps the gauges quadrille.letters.open (by state, scope and class) and quadrille.letters.oldest.age (s, by
// state; 0 without any) until ctx ends. They are measured when they are collected, and absent while the database is
// away. Every replica reports the same table: take their maximum, not their sum.
func (l *Letters) Observe(ctx context.Context) error {
	open, err := l.cfg.Meter.Int64ObservableGauge("quadrille.letters.open", metric.WithUnit("{letter}"),
		metric.WithDescription("Messages that are parked or dead."))
	if err != nil {
		return fmt.Errorf("metric quadrille.letters.open: %w", err)
	}
	age, err := l.cfg.Meter.Float64ObservableGauge("quadrille.letters.oldest.age", metric.WithUnit("s"),
		metric.WithDescription("How long the oldest message has been parked or dead."))
	if err != nil {
		return fmt.Errorf("metric quadrille.letters.oldest.age: %w", err)
	}
	registration, err := l.cfg.Meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, telemetry.MeasureWithin)
		defer cancel()
		counts, err := l.Count(ctx)
		if err != nil {
			return err
		}
		now := l.now()
		ages := map[LetterState]time.Duration{LetterParked: 0, LetterDead: 0}
		for _, c := range counts {
			o.ObserveInt64(open, c.Count, metric.WithAttributes(attribute.String("state", string(c.State)),
				attribute.String("scope", c.Scope), attribute.String("class", string(c.Class))))
			ages[c.State] = max(ages[c.State], now.Sub(c.Oldest))
		}
		for state, oldest := range ages {
			o.ObserveFloat64(age, oldest.Seconds(), metric.WithAttributes(attribute.String("state", string(state))))
		}
		return nil
	}, open, age)
	if err != nil {
		return fmt.Errorf("metrics of letters: %w", err)
	}
	<-ctx.Done()
	if err := registration.Unregister(); err != nil {
		return fmt.Errorf("metrics of letters: %w", err)
	}
	return nil
}
