package outbox

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestGaugesMeasureTheTableUntilTheyAreNoLongerObserved(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		reader := metric.NewManualReader()
		meter := metric.NewMeterProvider(metric.WithReader(reader)).Meter("test")
		ctx, stop := context.WithCancel(t.Context())
		observed := make(chan error, 1)
		go func() { observed <- Observe(ctx, meter, db) }()
		eventually(t, "the gauges are registered", func() bool { return len(collect(t, reader)) > 0 })

		const depth, age = "quadrille.outbox.depth {row}", "quadrille.outbox.oldest.age s"
		if diff := cmp.Diff(map[string]float64{depth: 0, age: 0}, collect(t, reader)); diff != "" {
			t.Error("empty (-want +got):\n" + diff)
		}
		insertAt(t, db, time.Now().Add(-time.Hour), "1")
		insertAt(t, db, time.Now(), "2", "3")
		got := collect(t, reader)
		got[age] = math.Round(got[age] / 60)
		if diff := cmp.Diff(map[string]float64{depth: 3, age: 60}, got); diff != "" {
			t.Error("with rows, age in minutes (-want +got):\n" + diff)
		}

		stop()
		if err := <-observed; err != nil {
			t.Error(err)
		}
		if got := collect(t, reader); len(got) != 0 {
			t.Errorf("measured after the end: %v", got)
		}
	})
}

func TestDepthStopsCounting(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), `
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				INSERT INTO outbox (topic, key, headers, written_at) SELECT 'a.events', 'x', '[]', $2 FROM n`,
				MaxDepth+10, time.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := depth(t, db); got != MaxDepth {
			t.Errorf("depth %d, want %d", got, MaxDepth)
		}
	})
}

// collect returns the value of every gauge, by its name and unit.
func collect(t *testing.T, reader metric.Reader) map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				values[m.Name+" "+m.Unit] = float64(data.DataPoints[0].Value)
			case metricdata.Gauge[float64]:
				values[m.Name+" "+m.Unit] = data.DataPoints[0].Value
			}
		}
	}
	return values
}

// insertAt commits a record of a.events for each value, as if at that time.
func insertAt(t testing.TB, db *sqldb.DB, at time.Time, values ...string) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		var records []Record
		for _, value := range values {
			records = append(records, recordOf("a.events", "x", value))
		}
		return Insert(t.Context(), tx, records, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}
