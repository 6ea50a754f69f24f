package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsets are the next ones to read, by topic and partition.
type offsets map[string]map[int32]kgo.EpochOffset

// set notes the next offset to read of a partition.
func (o offsets) set(topic string, id int32, next kgo.EpochOffset) {
	if o[topic] == nil {
		o[topic] = make(map[int32]kgo.EpochOffset)
	}
	o[topic][id] = next
}

// passed notes that r and all before it in its partition are handled.
func (o offsets) passed(r *kgo.Record) {
	o.set(r.Topic, r.Partition, kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1})
}

// then returns the offsets with later ones over them.
func (o offsets) then(later offsets) offsets {
	if len(o) == 0 {
		return later
	}
	for topic, ids := range later {
		for id, next := range ids {
			o.set(topic, id, next)
		}
	}
	return o
}

// of returns those of the partitions that are owned.
func (o offsets) of(owned map[partition]bool) offsets {
	ours := make(offsets)
	for topic, ids := range o {
		for id, next := range ids {
			if owned[partition{topic, id}] {
				ours.set(topic, id, next)
			}
		}
	}
	return ours
}

// drop removes what is known of a partition.
func (o offsets) drop(p partition) {
	if delete(o[p.topic], p.id); len(o[p.topic]) == 0 {
		delete(o, p.topic)
	}
}

// commit sends them to the group and returns what was refused, and why.
func (o offsets) commit(ctx context.Context, client *kgo.Client) (refused offsets, err error) {
	refused = make(offsets)
	var errs []error
	note := func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			refused = o
			errs = append(errs, err)
			return
		}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					refused.set(t.Topic, p.Partition, o[t.Topic][p.Partition])
					errs = append(errs, fmt.Errorf("partition %d of %s: %w", p.Partition, t.Topic, err))
				}
			}
		}
	}
	client.CommitOffsetsSync(ctx, o, note)
	return refused, errors.Join(errs...)
}
