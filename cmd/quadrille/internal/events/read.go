package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// Of a partition that is read faster than the others, so many records are kept until it is paused, and so few when
	// it goes on.
	maxKept = 5000
	minKept = 500

	silence = 3 * time.Second
)

// errEnough ends the reading without a fault.
var errEnough = errors.New("enough")

// partition of a topic and how far it was read.
type partition struct {
	topic  string
	number int32
	next   int64 // offset to read
	end    int64 // offset at which it ended when the reading began
	paused bool
	kept   []*kgo.Record // read, of interest, not yet shown
}

func (p *partition) id() map[string][]int32 { return map[string][]int32{p.topic: {p.number}} }

// reader reads partitions, of no group.
type reader struct {
	client *kgo.Client
	parts  []*partition
	byName map[string]map[int32]*partition
	wanted func(*kgo.Record) bool
	// silence is how long a broker that still answers may deliver nothing of what it says is there.
	silence time.Duration
}

func newReader(client *kgo.Client, parts []*partition, wanted func(*kgo.Record) bool) *reader {
	r := &reader{
		client: client, parts: parts, byName: make(map[string]map[int32]*partition), wanted: wanted, silence: silence,
	}
	from := make(map[string]map[int32]kgo.Offset)
	for _, p := range parts {
		if r.byName[p.topic] == nil {
			r.byName[p.topic], from[p.topic] = make(map[int32]*partition), make(map[int32]kgo.Offset)
		}
		r.byName[p.topic][p.number] = p
		from[p.topic][p.number] = kgo.NewOffset().At(p.next)
	}
	client.AddConsumePartitions(from)
	return r
}

// stored shows what was there when the reading began, in the order of time.
func (r *reader) stored(ctx context.Context, notes io.Writer, show func(context.Context, *kgo.Record) error) error {
	for {
		for p := r.oldest(); p != nil; p = r.oldest() {
			record := p.kept[0]
			p.kept = p.kept[1:]
			if p.paused && len(p.kept) <= minKept {
				p.paused = false
				r.client.ResumeFetchPartitions(p.id())
			}
			if err := show(ctx, record); err != nil {
				return err
			}
		}
		if !slices.ContainsFunc(r.parts, func(p *partition) bool { return p.next < p.end }) {
			return nil
		}
		polling, cancel := context.WithTimeout(ctx, r.silence)
		read, err := r.poll(polling)
		cancel()
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if read == 0 {
			if err := r.giveUp(ctx, notes); err != nil {
				return err
			}
		}
	}
}

// oldest returns the partition whose first record is the oldest of those that were there at the beginning, nil if one
// must be read first that might have an older one, or if there is none.
func (r *reader) oldest() (oldest *partition) {
	for _, p := range r.parts {
		switch {
		case len(p.kept) == 0 && p.next < p.end:
			return nil
		case len(p.kept) == 0 || p.kept[0].Offset >= p.end:
			continue
		}
		if oldest == nil || p.kept[0].Timestamp.Before(oldest.kept[0].Timestamp) {
			oldest = p
		}
	}
	return oldest
}

// giveUp takes what was not delivered for gone, and says so, if the broker is there.
func (r *reader) giveUp(ctx context.Context, notes io.Writer) error {
	asking, cancel := context.WithTimeout(ctx, r.silence)
	defer cancel()
	if err := r.client.Ping(asking); err != nil {
		return fmt.Errorf("the broker fell silent: %w", err)
	}
	for _, p := range r.parts {
		if p.next < p.end && !p.paused {
			fmt.Fprintf(notes, "quadrille: %s/%d has nothing from offset %d to its end at %d: it was compacted away\n",
				p.topic, p.number, p.next, p.end)
			p.next = p.end
		}
	}
	return nil
}

// follow shows what comes, each fetch in the order of time, and calls shown after each.
func (r *reader) follow(ctx context.Context, show func(context.Context, *kgo.Record) error, shown func() error) error {
	for {
		var fresh []*kgo.Record
		for _, p := range r.parts {
			if p.paused {
				p.paused = false
				r.client.ResumeFetchPartitions(p.id())
			}
			fresh = append(fresh, p.kept...)
			p.kept = nil
		}
		slices.SortStableFunc(fresh, func(a, b *kgo.Record) int { return a.Timestamp.Compare(b.Timestamp) })
		for _, record := range fresh {
			if err := show(ctx, record); err != nil {
				return err
			}
		}
		if err := shown(); err != nil {
			return err
		}
		if _, err := r.poll(ctx); err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// poll waits for records and keeps those of interest. It returns how many there were.
func (r *reader) poll(ctx context.Context) (read int, err error) {
	fetches := r.client.PollFetches(ctx)
	if ctx.Err() == nil {
		if err := fetches.Err(); err != nil {
			return 0, fmt.Errorf("read the topics: %w", err)
		}
	}
	fetches.EachRecord(func(record *kgo.Record) {
		p := r.byName[record.Topic][record.Partition]
		if p == nil || record.Offset < p.next {
			return
		}
		read++
		p.next = record.Offset + 1
		if r.wanted(record) {
			p.kept = append(p.kept, record)
		}
		if len(p.kept) > maxKept && !p.paused {
			p.paused = true
			r.client.PauseFetchPartitions(p.id())
		}
	})
	return read, nil
}
