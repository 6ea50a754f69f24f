package outbox

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// MaxDepth is where [Depth] stops counting, for PostgreSQL counts a table by reading it.
const MaxDepth = 100_001

// Depth is how many rows wait, counted up to [MaxDepth], and since when the oldest does; the zero time if none does.
func Depth(ctx context.Context, db *sqldb.DB) (rows int64, oldest time.Time, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err = sqldb.Get[int64](ctx, tx,
			`SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT $1) AS bounded`, MaxDepth)
		if err != nil {
			return err
		}
		first, err := sqldb.Select[time.Time](ctx, tx, `SELECT written_at FROM outbox ORDER BY seq LIMIT 1`)
		if err == nil && len(first) > 0 {
			oldest = first[0]
		}
		return err
	})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("measure the outbox: %w", err)
	}
	return rows, oldest, nil
}

// Observe keeps the gauges quadrille.outbox.depth (rows, at most [MaxDepth]) and quadrille.outbox.oldest.age (s; 0
// when empty) registered with meter until ctx ends. They are measured when they are collected, and absent while the
// database is away. Every replica reports the same table: take their maximum, not their sum.
func Observe(ctx context.Context, meter metric.Meter, db *sqldb.DB) error {
	depth, err := meter.Int64ObservableGauge("quadrille.outbox.depth", metric.WithUnit("{row}"),
		metric.WithDescription("Rows that wait for the relay, counted up to 100,001."))
	if err != nil {
		return fmt.Errorf("metric quadrille.outbox.depth: %w", err)
	}
	age, err := meter.Float64ObservableGauge("quadrille.outbox.oldest.age", metric.WithUnit("s"),
		metric.WithDescription("Age of the oldest row that waits for the relay."))
	if err != nil {
		return fmt.Errorf("metric quadrille.outbox.oldest.age: %w", err)
	}
	registration, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, telemetry.MeasureWithin)
		defer cancel()
		rows, oldest, err := Depth(ctx, db)
		if err != nil {
			return err
		}
		o.ObserveInt64(depth, rows)
		o.ObserveFloat64(age, ageOf(oldest).Seconds())
		return nil
	}, depth, age)
	if err != nil {
		return fmt.Errorf("metrics of the outbox: %w", err)
	}
	<-ctx.Done()
	if err := registration.Unregister(); err != nil {
		return fmt.Errorf("metrics of the outbox: %w", err)
	}
	return nil
}

// ageOf is how long ago a row was written: 0 for the zero time, and for a clock ahead of ours.
func ageOf(written time.Time) time.Duration {
	if written.IsZero() {
		return 0
	}
	return max(0, time.Since(written))
}
