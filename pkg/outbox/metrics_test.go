package outbox

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestAStoppedLaneIsMeasuredUntilItGoesOn(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		reader := metric.NewManualReader()
		metrics, err := NewMetrics(metric.NewMeterProvider(metric.WithReader(reader)).Meter("test"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := quick(b)
		cfg.Metrics = metrics
		var away atomic.Bool
		away.Store(true)
		client := cfg.NewClient
		cfg.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) {
			if away.Load() {
				return nil, errors.New("away")
			}
			return client(opts...)
		}
		relay := NewRelay(db, cfg)
		stopped := func() int64 { return valueOf(t, reader, "quadrille.outbox.stopped", "a.events") }
		if got := stopped(); got != 0 {
			t.Errorf("%d before it runs, want 0", got)
		}
		if got := valueOf(t, reader, "quadrille.outbox.failures", "a.events"); got != 0 {
			t.Errorf("%d failures before it runs, want 0", got)
		}
		insert(t, db, "a.events", "x", "1")
		defer start(t, relay)()
		eventually(t, "the lane is seen to stand still", func() bool { return stopped() == 1 })
		if got := valueOf(t, reader, "quadrille.outbox.stopped", "b.events"); got != 0 {
			t.Errorf("%d for a lane without rows, want 0", got)
		}
		away.Store(false)
		eventually(t, "it is seen to go on", func() bool { return stopped() == 0 })
		eventually(t, "its rows are counted", func() bool {
			return valueOf(t, reader, "quadrille.outbox.published", "a.events") == 1
		})
	})
}

// valueOf returns the value of a topic's series, -1 if there is none.
func valueOf(t *testing.T, reader metric.Reader, name, topic string) int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			case metricdata.Sum[int64]:
				points = data.DataPoints
			}
			for _, p := range points {
				if of, _ := p.Attributes.Value(attribute.Key("messaging.destination.name")); m.Name == name &&
					of.AsString() == topic {
					return p.Value
				}
			}
		}
	}
	return -1
}
