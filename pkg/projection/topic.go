package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const (
	// quiet is how long a topic tells nothing, twice in a row and with brokers that answer after each, before it is
	// believed to have nothing more: the records before its end may be gone by compaction. It is longer than a client
	// takes to find a broker again.
	quiet = 3 * time.Second
	// looks is how often the end of a topic is looked for again that moves while it is read.
	looks = 5
	// witnesses is how many fresh clients have to be told nothing too: a client that has lost a broker is as silent as
	// one that has read all.
	witnesses = 3
)

// Topic is a source of the events on a compacted topic, which holds the newest of each key.
type Topic struct {
	Name string
	// Client makes a client of the brokers that consumes without a group.
	Client func(...kgo.Opt) (*kgo.Client, error)
	// Codec decodes the types that are wanted; others are left out, and so is what cannot be read.
	Codec *serde.Codec
	// Logger is told what is left out as unreadable. Defaults to slog.Default().
	Logger *slog.Logger
}

var _ Source[event.Event] = Topic{}

// Total is how far the ends of the partitions are from their starts.
func (t Topic) Total(ctx context.Context, _ *sqldb.DB) (total int64, err error) {
	client, err := t.Client()
	if err != nil {
		return 0, err
	}
	defer client.Close()
	starts, err := t.offsets(ctx, kadm.NewClient(client).ListStartOffsets)
	if err != nil {
		return 0, err
	}
	ends, err := t.offsets(ctx, kadm.NewClient(client).ListEndOffsets)
	for partition, end := range ends {
		total += end - starts[partition]
	}
	return total, err
}

// offsets of all partitions, by what list lists.
func (t Topic) offsets(ctx context.Context,
	list func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
	listed, err := list(ctx, t.Name)
	if err == nil {
		err = listed.Error()
	}
	offsets := make(map[int32]int64)
	listed.Each(func(o kadm.ListedOffset) { offsets[o.Partition] = o.Offset })
	if err == nil && len(offsets) == 0 {
		err = errors.New("it has no partitions")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: offsets of %s: %w", ErrAway, t.Name, err)
	}
	return offsets, nil
}

// Open goes on where the position says, "partition:offset" of each partition with commas between.
func (t Topic) Open(ctx context.Context, _ *sqldb.DB, position string) (_ Cursor[event.Event], err error) {
	if t.Logger == nil {
		t.Logger = slog.Default()
	}
	asks, err := t.Client()
	if err != nil {
		return nil, err
	}
	c := &topicCursor{topic: t, asks: asks, admin: kadm.NewClient(asks)}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.next, err = t.offsets(ctx, c.admin.ListStartOffsets); err != nil {
		return nil, err
	}
	for _, part := range strings.FieldsFunc(position, func(r rune) bool { return r == ',' }) {
		var partition int32
		var offset int64
		if _, err := fmt.Sscanf(part, "%d:%d", &partition, &offset); err != nil {
			return nil, fmt.Errorf("position %q of %s: %w", position, t.Name, err)
		}
		c.next[partition] = max(offset, c.next[partition])
	}
	if c.ends, err = t.offsets(ctx, c.admin.ListEndOffsets); err != nil {
		return nil, err
	}
	c.reads, err = t.reader(c.next)
	return c, err
}

// reader makes a client that reads partitions from these offsets on.
func (t Topic) reader(next map[int32]int64) (*kgo.Client, error) {
	from := make(map[int32]kgo.Offset)
	for partition, offset := range next {
		from[partition] = kgo.NewOffset().At(offset)
	}
	return t.Client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.Name: from}),
		kgo.FetchMaxWait(250*time.Millisecond))
}

type topicCursor struct {
	topic       Topic
	asks, reads *kgo.Client
	admin       *kadm.Client
	// next are the offsets to be read, ends those where reading began to stop.
	next, ends map[int32]int64
	// looked counts looks at the ends, silent polls in a row without a record.
	looked, silent int
}

// Close implements Cursor.
func (c *topicCursor) Close() {
	c.asks.Close()
	if c.reads != nil {
		c.reads.Close()
	}
}

// Next implements Cursor.
func (c *topicCursor) Next(ctx context.Context, limit int) ([]event.Event, string, error) {
	for {
		for c.reached() {
			if moved, err := c.look(ctx); err != nil || !moved {
				return nil, "", err
			}
		}
		records, err := c.poll(ctx, c.reads, limit)
		if err != nil {
			return nil, "", err
		}
		if len(records) == 0 {
			moved, err := c.look(ctx)
			if err != nil {
				return nil, "", err
			}
			if c.silent++; !moved && c.silent >= 2 {
				return nil, "", c.confirm(ctx)
			}
			continue
		}
		c.silent = 0
		events, err := c.decode(ctx, records)
		if err != nil {
			return nil, "", err
		}
		if len(events) > 0 {
			return events, c.position(), nil
		}
	}
}

// poll waits for records that by reads, and returns none if it is told nothing.
func (c *topicCursor) poll(ctx context.Context, by *kgo.Client, limit int) ([]*kgo.Record, error) {
	polled, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	fetches := by.PollRecords(polled, limit)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, failed := range fetches.Errors() {
		if !errors.Is(failed.Err, context.DeadlineExceeded) {
			return nil, fmt.Errorf("%w: read %s: %w", ErrAway, c.topic.Name, failed.Err)
		}
	}
	return fetches.Records(), nil
}

// confirm asks witnesses whether partitions that are below their ends hold nothing more.
func (c *topicCursor) confirm(ctx context.Context) error {
	below := make(map[int32]int64)
	for partition, end := range c.ends {
		if c.next[partition] < end {
			below[partition] = c.next[partition]
		}
	}
	for range witnesses {
		records, err := c.witness(ctx, below)
		if err != nil {
			return err
		}
		if len(records) > 0 {
			return fmt.Errorf("%w: %s was silent, but partition %d holds offset %d", ErrAway, c.topic.Name,
				records[0].Partition, records[0].Offset)
		}
	}
	return nil
}

func (c *topicCursor) witness(ctx context.Context, next map[int32]int64) ([]*kgo.Record, error) {
	fresh, err := c.topic.reader(next)
	if err != nil {
		return nil, err
	}
	defer fresh.Close()
	return c.poll(ctx, fresh, 1)
}

// reached reports whether all that was there has been read.
func (c *topicCursor) reached() bool {
	for partition, end := range c.ends {
		if c.next[partition] < end {
			return false
		}
	}
	return true
}

// look asks for the ends again and reports whether they have moved: what an older row than the topic's newest has kept
// a writer from writing comes late.
func (c *topicCursor) look(ctx context.Context) (moved bool, err error) {
	ends, err := c.topic.offsets(ctx, c.admin.ListEndOffsets)
	if err != nil {
		return false, err
	}
	for partition, end := range ends {
		moved = moved || end > c.ends[partition]
	}
	c.ends = ends
	c.looked++
	return moved && c.looked < looks, nil
}

func (c *topicCursor) decode(ctx context.Context, records []*kgo.Record) ([]event.Event, error) {
	var events []event.Event
	for _, r := range records {
		headers := make([]event.Header, len(r.Headers))
		for i, h := range r.Headers {
			headers[i] = event.Header{Key: h.Key, Value: h.Value}
		}
		e, err := event.Parse(r.Key, headers)
		e.Topic = r.Topic
		if err == nil && r.Value != nil {
			e.Data, err = c.dataOf(ctx, r, e.Type)
		}
		switch {
		case err == nil:
			events = append(events, e)
		case errors.Is(err, serde.ErrUnavailable), ctx.Err() != nil:
			return nil, fmt.Errorf("%w: decode: %w", ErrAway, err)
		case !errors.Is(err, serde.ErrUnknownType):
			c.topic.Logger.WarnContext(ctx, "a rebuild leaves out what cannot be read", "topic", r.Topic,
				"partition", r.Partition, "offset", r.Offset, "error", err)
		}
		c.next[r.Partition] = r.Offset + 1
	}
	return events, nil
}

// dataOf decodes the value of an event. Its schema has to be that of the type that its headers claim.
func (c *topicCursor) dataOf(ctx context.Context, r *kgo.Record, claimed string) (event.Data, error) {
	t, data, err := c.topic.Codec.Decode(ctx, r.Topic, r.Value)
	if (err == nil || errors.Is(err, serde.ErrUnknownType)) && t.Name != claimed {
		return nil, fmt.Errorf("%w: ce_type says %q, the schema %s", event.ErrHeaders, claimed, t.Name)
	}
	return data, err
}

func (c *topicCursor) position() string {
	var parts []string
	for partition, offset := range c.next {
		parts = append(parts, strconv.Itoa(int(partition))+":"+strconv.FormatInt(offset, 10))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
