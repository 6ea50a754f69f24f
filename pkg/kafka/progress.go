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
	// stall is how long the group may stand still before its backlog no longer holds timers back.
	stall time.Duration

	mark     kadm.ListedOffsets // ends of the partitions at markedAt; nil: take a new mark
	markedAt time.Time
	reached  time.Time
	total    int64     // sum of committed offsets when last looked at
	movedAt  time.Time // when total last changed
	lookedAt time.Time
}

// NewProgress follows group over topics; see Progress for stall, 60 s by the design.
func NewProgress(admin *kadm.Client, group string, topics []string, stall time.Duration) *Progress {
	return &Progress{admin: admin, group: group, topics: topics, stall: stall}
}

// Horizon returns the latest known instant up to which the group has handled everything, or now if it has not moved for
// the stall time although something waits. The zero time means that nothing is known yet. A group is only seen to
// stand still by who looks: after a pause between two looks of more than a quarter of the stall time, as an absent
// database or broker makes, the stall time begins anew. It is not safe for concurrent use.
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
		p.mark, p.markedAt, p.movedAt = ends, now, now
	}
	behind, total, err := p.behind(ctx)
	if err != nil {
		return p.reached, err
	}
	if now.Sub(p.lookedAt) > p.stall/4 {
		p.movedAt = now
	}
	p.lookedAt = now
	switch {
	case !behind:
		p.reached, p.mark = p.markedAt, nil
	case total != p.total:
		p.movedAt = now
	case now.Sub(p.movedAt) >= p.stall:
		p.reached = now
	}
	p.total = total
	return p.reached, nil
}

// behind reports whether any partition's committed offset is before the mark, and the sum of the committed ones.
func (p *Progress) behind(ctx context.Context) (behind bool, total int64, err error) {
	committed, err := p.admin.FetchOffsets(ctx, p.group)
	if err == nil {
		err = committed.Error()
	}
	if errors.Is(err, kerr.GroupIDNotFound) {
		committed, err = nil, nil // nobody has joined yet: nothing is committed
	}
	if err != nil {
		return false, 0, fmt.Errorf("committed offsets of group %s: %w", p.group, err)
	}
	var starts kadm.ListedOffsets
	p.mark.Each(func(end kadm.ListedOffset) {
		offset, ok := committed.Lookup(end.Topic, end.Partition)
		switch {
		case ok:
			total += offset.At
			behind = behind || offset.At < end.Offset
		case end.Offset > 0:
			// Nothing was committed yet. That is behind unless retention has already emptied the partition.
			if starts == nil && err == nil {
				starts, err = p.admin.ListStartOffsets(ctx, p.topics...)
			}
			start, ok := starts.Lookup(end.Topic, end.Partition)
			behind = behind || !ok || start.Offset < end.Offset
		}
	})
	if err != nil {
		return false, 0, fmt.Errorf("start offsets of %v: %w", p.topics, err)
	}
	return behind, total, nil
}
