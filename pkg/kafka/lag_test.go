package kafka_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

func TestLagIsWhatComesAfterTheCommittedOffset(t *testing.T) {
	cluster := startBroker(t, 3)
	admin, produce := newAdmin(t, cluster), newProducer(t, cluster)
	want := func(when string, lags ...kafka.Lag) {
		t.Helper()
		got, err := kafka.Lags(t.Context(), admin, group, []string{topic})
		if err != nil {
			t.Fatal(err)
		}
		wanted := make(map[int32]kafka.Lag)
		for id, lag := range lags {
			wanted[int32(id)] = lag
		}
		if diff := cmp.Diff(wanted, got[topic]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	behind := func(records int64) kafka.Lag { return kafka.Lag{Records: records} }
	want("before anybody joined", behind(0), behind(0), behind(0))
	produce(0, "a", series("a", 0, 10)...)
	produce(1, "b", series("b", 0, 4)...)
	want("before anything was committed", behind(10), behind(4), behind(0))
	if err := cluster.DeleteRecords(topic, 1, 3); err != nil {
		t.Fatal(err)
	}
	want("what retention removed does not count", behind(10), behind(1), behind(0))
	committed := make(kadm.Offsets)
	committed.Add(kadm.Offset{Topic: topic, Partition: 0, At: 7, LeaderEpoch: -1})
	if err := admin.CommitAllOffsets(t.Context(), group, committed); err != nil {
		t.Fatal(err)
	}
	want("after a commit", kafka.Lag{Committed: 7, Records: 3}, behind(1), behind(0))
}

// A consumer that reads and cannot go on is behind, and whoever watches must see it.
func TestLagIsMeasuredWhileTheGroupStandsStill(t *testing.T) {
	cluster := startBroker(t, 1)
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")
	ctx, stop := context.WithCancel(t.Context())
	observed := make(chan error, 1)
	go func() { observed <- kafka.ObserveLag(ctx, meter, newAdmin(t, cluster), group, []string{topic}) }()

	taken := make(chan struct{}, 1)
	join(t, cluster, func(ctx context.Context, _ []work.Message[string]) ([]work.Refusal, error) {
		taken <- struct{}{}
		<-ctx.Done() // as with a database that is away
		return nil, ctx.Err()
	}, giveBackWithin(1))
	newProducer(t, cluster)(0, "a", series("a", 0, 5)...)
	<-taken
	for len(gaugesOf(t, reader)) == 0 && t.Context().Err() == nil { // until it is registered
		continue
	}
	want := map[string]int64{
		"quadrille.consumer.lag order payment.events 0": 5, "quadrille.consumer.committed order payment.events 0": 0,
	}
	if diff := cmp.Diff(want, gaugesOf(t, reader)); diff != "" {
		t.Error("(-want +got):\n" + diff)
	}
	stop()
	if err := <-observed; err != nil {
		t.Error(err)
	}
	if got := gaugesOf(t, reader); len(got) > 0 {
		t.Errorf("measured after the end: %v", got)
	}
}

// gaugesOf returns the values of gauges by their name, group, topic and partition.
func gaugesOf(t *testing.T, reader sdkmetric.Reader) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	values := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			gauge, ok := m.Data.(metricdata.Gauge[int64])
			if !ok {
				continue
			}
			for _, p := range gauge.DataPoints {
				value := func(name attribute.Key) attribute.Value { v, _ := p.Attributes.Value(name); return v }
				values[fmt.Sprintf("%s %s %s %d", m.Name, value("messaging.consumer.group.name").AsString(),
					value("messaging.destination.name").AsString(),
					value("messaging.destination.partition.id").AsInt64())] = p.Value
			}
		}
	}
	return values
}
