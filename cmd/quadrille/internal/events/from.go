package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// From says where in the topics to start. The zero From leaves it to others.
type From struct {
	given  bool
	end    bool
	offset int64         // counts unless end, at or ago is given
	at     time.Time     // in every partition the first record that is not older
	ago    time.Duration // before now
}

// layouts of a time, UTC if it does not say.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// UnmarshalText reads beginning, end, an offset, a time, or a duration with or without the word ago.
func (f *From) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	switch s {
	case "beginning":
		*f = From{given: true}
		return nil
	case "end":
		*f = From{given: true, end: true}
		return nil
	}
	if offset, err := strconv.ParseInt(s, 10, 64); err == nil && offset >= 0 {
		*f = From{given: true, offset: offset}
		return nil
	}
	if ago, err := time.ParseDuration(strings.TrimSpace(strings.TrimSuffix(s, "ago"))); err == nil && ago > 0 {
		*f = From{given: true, ago: ago}
		return nil
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, s); err == nil {
			*f = From{given: true, at: at}
			return nil
		}
	}
	return fmt.Errorf("%q is no place to start: there are beginning, end, an offset such as 100, a time such as "+
		"2026-03-01T12:00:00Z and a time before now such as '10m ago'", s)
}

// or is the end or the beginning if nothing was given.
func (f From) or(end bool) From {
	if f.given {
		return f
	}
	return From{given: true, end: end}
}

// bounds returns the partitions of topics, each from where f says to where it ends now.
func (f From) bounds(ctx context.Context, admin *kadm.Client, topics []string) ([]*partition, error) {
	starts, err := admin.ListStartOffsets(ctx, topics...)
	if err = errors.Join(err, starts.Error()); err != nil {
		return nil, fmt.Errorf("list the start offsets: %w", err)
	}
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err = errors.Join(err, ends.Error()); err != nil {
		return nil, fmt.Errorf("list the end offsets: %w", err)
	}
	at := f.at
	if f.ago > 0 {
		at = time.Now().Add(-f.ago)
	}
	var after kadm.ListedOffsets
	if !at.IsZero() {
		after, err = admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topics...)
		if err = errors.Join(err, after.Error()); err != nil {
			return nil, fmt.Errorf("list the offsets of %s: %w", at.Format(time.RFC3339), err)
		}
	}
	var parts []*partition
	starts.Each(func(start kadm.ListedOffset) {
		p := &partition{topic: start.Topic, number: start.Partition, next: f.offset}
		if end, ok := ends.Lookup(start.Topic, start.Partition); ok {
			p.end = end.Offset
		}
		if first, ok := after.Lookup(start.Topic, start.Partition); ok {
			p.next = first.Offset
		}
		if f.end {
			p.next = p.end
		}
		p.next = min(max(p.next, start.Offset), p.end)
		parts = append(parts, p)
	})
	slices.SortFunc(parts, func(a, b *partition) int {
		return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.number, b.number))
	})
	return parts, nil
}
