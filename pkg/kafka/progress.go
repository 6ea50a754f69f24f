package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Progress tells how far a consumer group has come, so that nothing is called late that only waits to be read: a timer
// fires when all that was on the topics at its time has been handled.
type Progress struct {
	admin  *kadm.Client
	group  string
	topics []string
	// stall is how long a partition may stand still before its backlog no longer holds timers back.
	stall time.Duration

	mark     kadm.ListedOffsets // ends of the partitions at markedAt; nil: take a new mark
	markedAt time.Time
	reached  time.Time
	pace     map[partition]pace
	lookedAt time.Time
}

// pace of a partition at which something waits: its committed offset, and when that was first seen.
type pace struct {
	offset  int64
	movedAt time.Time
}

// NewProgress follows group over topics; see Progress for stall, 60 s by the design.
func NewProgress(admin *kadm.Client, group string, topics []string, stall time.Duration) *Progress {
	return &Progress{admin: admin, group: group, topics: topics, stall: stall, pace: make(map[partition]pace)}
}

// Horizon returns the latest known instant up to which the group has handled everything, but for partitions that have
// not moved for the stall time although something waits: one that is stopped holds back no timer of the others, and
// its own no longer than that. The zero time means that nothing is known yet. A partition is only seen to stand still
// by who looks: after a pause between two looks of more than a quarter of the stall time, as an absent database or
// broker makes, the stall time begins anew. It is not safe for concurrent use.
func (p *Progress) Horizon(ctx context.Context, now time.Time) (time.Time, error) {
	if len(p.topics) == 0 {
		return now, nil
	}
	if p.mark == nil {
		ends, err := p.admin.ListEndOffsets(ctx, p.topics...)
		if err == nil {
			err = ends.Error()
		}
		if err != nil {
			return p.reached, fmt.Errorf("end offsets of %v: %w", p.topics, err)
		}
		p.mark, p.markedAt = ends, now
	}
	waiting, err := p.waiting(ctx)
	if err != nil {
		return p.reached, err
	}
	if !p.held(waiting, now) {
		p.reached, p.mark = p.markedAt, nil
	}
	return p.reached, nil
}

// held notes how the partitions move, and reports whether one that is before the mark has moved of late.
func (p *Progress) held(waiting map[partition]int64, now time.Time) (held bool) {
	anew := now.Sub(p.lookedAt) > p.stall/4
	p.lookedAt = now
	for key := range p.pace {
		if _, waits := waiting[key]; !waits {
			delete(p.pace, key)
		}
	}
	for key, offset := range waiting {
		last, known := p.pace[key]
		if !known || anew || offset != last.offset {
			last = pace{offset, now}
			p.pace[key] = last
		}
		held = held || now.Sub(last.movedAt) < p.stall
	}
	return held
}

// none is the offset of a partition for which nothing was committed.
const none = -1

// waiting returns the committed offsets of the partitions that are before the mark.
func (p *Progress) waiting(ctx context.Context) (map[partition]int64, error) {
	committed, err := p.admin.FetchOffsets(ctx, p.group)
	if err == nil {
		err = committed.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		committed, err = nil, nil // nobody has joined yet: nothing is committed
	}
	if err != nil {
		return nil, fmt.Errorf("committed offsets of group %s: %w", p.group, err)
	}
	waiting := make(map[partition]int64)
	var starts kadm.ListedOffsets
	p.mark.Each(func(end kadm.ListedOffset) {
		offset, ok := committed.Lookup(end.Topic, end.Partition)
		switch {
		case ok:
			if offset.At < end.Offset {
				waiting[partition{end.Topic, end.Partition}] = offset.At
			}
		case end.Offset > 0:
			// Nothing was committed yet. It waits unless retention has already emptied the partition.
			if starts == nil && err == nil {
				starts, err = p.admin.ListStartOffsets(ctx, p.topics...)
			}
			if start, ok := starts.Lookup(end.Topic, end.Partition); !ok || start.Offset < end.Offset {
				waiting[partition{end.Topic, end.Partition}] = none
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("start offsets of %v: %w", p.topics, err)
	}
	return waiting, nil
}
