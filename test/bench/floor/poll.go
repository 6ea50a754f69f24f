package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// poll hands in what is fetched, one batch ahead of the commits, and moves the offsets behind them.
func (s *service) poll(ctx context.Context) error {
	committed := make(chan struct{}, 1)
	var before []*kgo.Record
	settle := func() error {
		if before == nil {
			return nil
		}
		select {
		case <-committed:
		case <-ctx.Done():
			return ctx.Err()
		}
		return s.consumer.CommitRecords(ctx, before...)
	}
	for {
		fetches := s.consumer.PollRecords(ctx, maxBatch)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("%s: poll: %w", s.name, err)
		}
		records := fetches.Records()
		if len(records) == 0 {
			continue
		}
		now := instant()
		var wanted []*message
		for _, r := range records {
			if m := messageOf(r, now); s.types[m.kind] {
				wanted = append(wanted, m)
			}
		}
		if err := settle(); err != nil {
			return err
		}
		before = records
		if len(wanted) == 0 {
			committed <- struct{}{}
			continue
		}
		select {
		case s.entries <- entry{wanted, func() { committed <- struct{}{} }}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
