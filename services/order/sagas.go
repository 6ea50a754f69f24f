package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// ages are by which open sagas are counted.
var ages = []time.Duration{0, time.Minute, 10 * time.Minute, time.Hour}

// observeSagas keeps gauges of the orders whose sagas have not ended until ctx ends: quadrille.sagas.open by the age
// that they have reached, quadrille.sagas.stuck those older than stuckAfter, by status, and quadrille.sagas.oldest.age.
// They count up to 100,001, are measured when they are collected, and absent while the database is away. Every replica
// reports the same table: take their maximum, not their sum.
func observeSagas(ctx context.Context, p *api.Parts, stuckAfter time.Duration) error {
	meter := p.Telemetry.Meter.Meter("quadrille")
	open, err1 := meter.Int64ObservableGauge("quadrille.sagas.open", metric.WithUnit("{order}"),
		metric.WithDescription("Orders whose saga has not ended, by the age that they have reached at least."))
	stuck, err2 := meter.Int64ObservableGauge("quadrille.sagas.stuck", metric.WithUnit("{order}"),
		metric.WithDescription("Orders that have waited for other services for longer than they may, by status."))
	oldest, err3 := meter.Float64ObservableGauge("quadrille.sagas.oldest.age", metric.WithUnit("s"),
		metric.WithDescription("How long the order waits that waits longest for other services."))
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return fmt.Errorf("metrics of sagas: %w", err)
		}
	}
	registration, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, telemetry.MeasureWithin)
		defer cancel()
		now := event.Now(p.Config.Clock)
		asked := slices.Sorted(slices.Values(append(ages[1:len(ages):len(ages)], stuckAfter)))
		at := make([]time.Time, len(asked))
		for i, age := range asked {
			at[i] = now.Add(-age)
		}
		found, err := store.OpenSagas(ctx, p.DB, at...)
		if err != nil {
			return err
		}
		c := countSagas(found, asked, now, stuckAfter)
		for i, age := range ages {
			o.ObserveInt64(open, c.open[i], metric.WithAttributes(attribute.String("age", age.String())))
		}
		for _, status := range []order.Status{order.StatusPending, order.StatusConfirmed, order.StatusCancelled} {
			o.ObserveInt64(stuck, c.stuck[status], metric.WithAttributes(attribute.String("status", string(status))))
		}
		o.ObserveFloat64(oldest, c.oldest.Seconds())
		return nil
	}, open, stuck, oldest)
	if err != nil {
		return fmt.Errorf("metrics of sagas: %w", err)
	}
	<-ctx.Done()
	if err := registration.Unregister(); err != nil {
		return fmt.Errorf("metrics of sagas: %w", err)
	}
	return nil
}

// sagaCounts are the open sagas, counted.
type sagaCounts struct {
	// open has as many entries as ages.
	open   []int64
	stuck  map[order.Status]int64
	oldest time.Duration
}

// countSagas adds up what was found of the ages that were asked about, the lowest first.
func countSagas(found []store.Open, asked []time.Duration, now time.Time, stuckAfter time.Duration) sagaCounts {
	c := sagaCounts{open: make([]int64, len(ages)), stuck: make(map[order.Status]int64)}
	for _, sagas := range found {
		// One that is open since later than now, by another's clock, has no age yet.
		reached := func(age time.Duration) bool { return age == 0 || sagas.Reached > int64(slices.Index(asked, age)) }
		for i, least := range ages {
			if reached(least) {
				c.open[i] += sagas.Orders
			}
		}
		if reached(stuckAfter) {
			c.stuck[sagas.Status] += sagas.Orders
		}
		c.oldest = max(c.oldest, now.Sub(sagas.Oldest))
	}
	return c
}
