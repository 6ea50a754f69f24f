package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.opentelemetry.io/otel/metric"
)

// measureWithin bounds a look at the offsets, so that a scrape does not wait for a broker that is away.
const measureWithin = 2 * time.Second

// Lags returns how many records of each partition of topics come after the offset that group has committed. Whether a
// member reads them makes no difference, so a group that stands still is seen to fall behind.
func Lags(ctx context.Context, admin *kadm.Client, group string, topics []string) (map[string]map[int32]int64, error) {
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
	lags := make(map[string]map[int32]int64)
	ends.Each(func(end kadm.ListedOffset) {
		from := int64(0)
		if start, ok := starts.Lookup(end.Topic, end.Partition); ok {
			from = start.Offset // what retention has removed waits no longer
		}
		if at, ok := committed.Lookup(end.Topic, end.Partition); ok {
			from = max(from, at.At)
		}
		if lags[end.Topic] == nil {
			lags[end.Topic] = make(map[int32]int64)
		}
		lags[end.Topic][end.Partition] = max(0, end.Offset-from)
	})
	return lags, nil
}

// ObserveLag keeps the gauge quadrille.consumer.lag, what [Lags] returns, registered with meter until ctx ends. It is
// measured when it is collected, and absent while the broker is away. Every replica reports the whole group: take
// their maximum, not their sum.
func ObserveLag(ctx context.Context, meter metric.Meter, admin *kadm.Client, group string, topics []string) error {
	gauge, err := meter.Int64ObservableGauge("quadrille.consumer.lag", metric.WithUnit("{record}"),
		metric.WithDescription("Records of a partition after the group's committed offset."))
	if err != nil {
		return fmt.Errorf("metric quadrille.consumer.lag: %w", err)
	}
	registration, err := meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, measureWithin)
		defer cancel()
		lags, err := Lags(ctx, admin, group, topics)
		if err != nil {
			return err
		}
		for topic, partitions := range lags {
			for id, lag := range partitions {
				o.ObserveInt64(gauge, lag, partitionAttributes(group, topic, id))
			}
		}
		return nil
	}, gauge)
	if err != nil {
		return fmt.Errorf("metrics of the lag: %w", err)
	}
	<-ctx.Done()
	if err := registration.Unregister(); err != nil {
		return fmt.Errorf("metrics of the lag: %w", err)
	}
	return nil
}
