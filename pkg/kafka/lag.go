package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.opentelemetry.io/otel/metric"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// Lag of a partition.
type Lag struct {
	// Committed is the offset that the group has committed, 0 before it has.
	Committed int64
	// Records come after it.
	Records int64
}

// Lags returns by topic and partition how far group is behind. Whether a member reads makes no difference, so a group
// that stands still is seen to fall behind.
func Lags(ctx context.Context, admin *kadm.Client, group string, topics []string) (map[string]map[int32]Lag, error) {
	committed, err := admin.FetchOffsets(ctx, group)
	if err == nil {
		err = committed.Error()
	}
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) { // that nobody has joined yet
		return nil, fmt.Errorf("committed offsets of group %s: %w", group, err)
	}
	starts, err1 := admin.ListStartOffsets(ctx, topics...)
	ends, err2 := admin.ListEndOffsets(ctx, topics...)
	if err := errors.Join(err1, err2, starts.Error(), ends.Error()); err != nil {
		return nil, fmt.Errorf("offsets of %v: %w", topics, err)
	}
	lags := make(map[string]map[int32]Lag)
	ends.Each(func(end kadm.ListedOffset) {
		from, last := int64(0), int64(0)
		if start, ok := starts.Lookup(end.Topic, end.Partition); ok {
			from = start.Offset // what retention has removed waits no longer
		}
		if at, ok := committed.Lookup(end.Topic, end.Partition); ok {
			last = max(0, at.At)
			from = max(from, last)
		}
		if lags[end.Topic] == nil {
			lags[end.Topic] = make(map[int32]Lag)
		}
		lags[end.Topic][end.Partition] = Lag{Committed: last, Records: max(0, end.Offset-from)}
	})
	return lags, nil
}

// ObserveLag keeps the gauges quadrille.consumer.lag and quadrille.consumer.committed, what [Lags] returns, registered
// with meter until ctx ends. By the second a group that is always a little behind, as one at work is, is told from one
// that stands still. They are measured when they are collected, and absent while the broker is away. Every replica
// reports the whole group: take their maximum, not their sum.
func ObserveLag(ctx context.Context, meter metric.Meter, admin *kadm.Client, group string, topics []string) error {
	lag, err := meter.Int64ObservableGauge("quadrille.consumer.lag", metric.WithUnit("{record}"),
		metric.WithDescription("Records of a partition after the group's committed offset."))
	if err != nil {
		return fmt.Errorf("metric quadrille.consumer.lag: %w", err)
	}
	committed, err := meter.Int64ObservableGauge("quadrille.consumer.committed",
		metric.WithDescription("The offset that the group has committed of a partition, 0 before it has."))
	if err != nil {
		return fmt.Errorf("metric quadrille.consumer.committed: %w", err)
	}
	registration, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, telemetry.MeasureWithin)
		defer cancel()
		lags, err := Lags(ctx, admin, group, topics)
		if err != nil {
			return err
		}
		for topic, partitions := range lags {
			for id, l := range partitions {
				of := partitionAttributes(group, topic, id)
				o.ObserveInt64(lag, l.Records, of)
				o.ObserveInt64(committed, l.Committed, of)
			}
		}
		return nil
	}, lag, committed)
	if err != nil {
		return fmt.Errorf("metrics of the lag: %w", err)
	}
	<-ctx.Done()
	if err := registration.Unregister(); err != nil {
		return fmt.Errorf("metrics of the lag: %w", err)
	}
	return nil
}
