package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsets to be committed: the next one to read, by topic and partition.
type offsets map[string]map[int32]kgo.EpochOffset

// passed notes that r and all before it in its partition are handled.
func (o offsets) passed(r *kgo.Record) {
	if o[r.Topic] == nil {
		o[r.Topic] = make(map[int32]kgo.EpochOffset)
	}
	o[r.Topic][r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
}

// commit sends them to the group and returns what was refused.
func (o offsets) commit(ctx context.Context, client *kgo.Client) []error {
	var errs []error
	note := func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		for _, t := range res.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					errs = append(errs, fmt.Errorf("partition %d of %s: %w", p.Partition, t.Topic, err))
				}
			}
		}
	}
	client.CommitOffsetsSync(ctx, o, note)
	return errs
}
