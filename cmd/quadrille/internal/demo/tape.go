package demo

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// record is what a topic holds about an order, decoded by its schema.
type record struct {
	event.Event
	// Kind is the last part of its type, such as OrderPlaced.
	Kind string
	// Schema is the registry's id of the schema that it was written with.
	Schema uint32
	raw    *kgo.Record
	// fault is why it could not be read. There is no Data then.
	fault error
}

// unreadable is the kind of a record with a fault.
const unreadable = "unreadable"

// tape keeps every event of a platform from the moment it was made.
type tape struct {
	client *kgo.Client
	codec  *serde.Codec
	stop   func() error
	// deadLetters says of each topic whether it holds copies of what could not be handled.
	deadLetters map[string]bool

	mu     sync.Mutex
	byKey  map[string][]record // in the order of each topic
	copies []*kgo.Record       // of dead letters
	spoilt map[string]bool     // values of records that were put there to be unreadable
	err    error               // why the first other unreadable record is so
}

// from says where a tape begins: what a topic holds already, or only what comes.
type from bool

const (
	fromStart from = true
	fromNow   from = false
)

// newTape starts to read all topics.
func newTape(ctx context.Context, addresses client.Addresses, where from) (*tape, error) {
	registry, err := serde.NewClient("http://" + addresses.Registry)
	if err != nil {
		return nil, err
	}
	t := &tape{byKey: make(map[string][]record), deadLetters: make(map[string]bool), spoilt: make(map[string]bool)}
	if t.codec, err = serde.New(ctx, registry, types()); err != nil {
		return nil, err
	}
	// Without a logger: a broker that is away is part of the show.
	brokers := kafka.Config{
		Brokers: []string{addresses.Kafka}, ClientID: "quadrille-demo", Logger: slog.New(slog.DiscardHandler),
	}
	if t.client, err = kafka.NewClient(brokers, kgo.FetchMaxWait(100*time.Millisecond)); err != nil {
		return nil, err
	}
	var topics []string
	for _, topic := range schemas.Topics() {
		topics = append(topics, topic.Name)
		t.deadLetters[topic.Name] = topic.DeadLetters
	}
	admin := kadm.NewClient(t.client)
	list := admin.ListEndOffsets
	if where == fromStart {
		list = admin.ListStartOffsets
	}
	listed, err := list(ctx, topics...)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		t.client.Close()
		return nil, fmt.Errorf("find where the topics begin and end: %w", err)
	}
	t.client.AddConsumePartitions(listed.KOffsets())
	t.run()
	return t, nil
}

// types are all event types there are.
func types() []serde.Type {
	var types []serde.Type
	for _, r := range schemas.Records() {
		types = append(types, serde.Type(r))
	}
	return types
}

// run reads until stop, which waits for its end.
func (t *tape) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			fetches := t.client.PollFetches(ctx)
			fetches.EachRecord(func(r *kgo.Record) { t.note(ctx, r) })
		}
	}()
	t.stop = func() error {
		cancel()
		<-ended
		t.client.Close()
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.err
	}
}

func (t *tape) note(ctx context.Context, r *kgo.Record) {
	if r.Value == nil {
		return // a tombstone, with which a product leaves the shop
	}
	read, err := t.read(ctx, r)
	if ctx.Err() != nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.deadLetters[r.Topic]:
		t.copies = append(t.copies, r)
		return
	case t.spoilt[string(r.Value)]:
		return
	case err != nil:
		err = fmt.Errorf("%s partition %d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
		read = record{Event: event.Event{Key: string(r.Key), Topic: r.Topic}, Kind: unreadable, raw: r, fault: err}
		t.err = cmp.Or(t.err, err)
	}
	t.byKey[string(r.Key)] = append(t.byKey[string(r.Key)], read)
}

func (t *tape) read(ctx context.Context, r *kgo.Record) (record, error) {
	headers := make([]event.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = event.Header(h)
	}
	e, err := event.Parse(r.Key, headers)
	if err != nil {
		return record{}, err
	}
	e.Topic = r.Topic
	if _, e.Data, err = t.codec.Decode(ctx, r.Topic, r.Value); err != nil {
		return record{}, err
	}
	kind := e.Type[strings.LastIndexByte(e.Type, '.')+1:]
	return record{Event: e, Kind: kind, Schema: binary.BigEndian.Uint32(r.Value[1:]), raw: r}, nil
}

// about returns the events of an order so far, copies and what is unreadable included.
func (t *tape) about(orderID string) []record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.byKey[orderID])
}

// fault is why the first unreadable record is so, whatever its key.
func (t *tape) fault() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// await returns the first event of a kind about an order, once it is there.
func (t *tape) await(ctx context.Context, orderID, kind string) (record, error) {
	var found record
	err := client.Until(ctx, kind+" on Kafka", func() error {
		records := t.about(orderID)
		i := slices.IndexFunc(records, func(r record) bool { return r.Kind == kind })
		if i < 0 {
			return fmt.Errorf("there are %v", kinds(records))
		}
		found = records[i]
		return nil
	})
	return found, err
}

// sizes are how many records there are of each key so far.
func (t *tape) sizes() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	sizes := make(map[string]int, len(t.byKey))
	for key, records := range t.byKey {
		sizes[key] = len(records)
	}
	return sizes
}

// copied returns the copies of dead letters so far.
func (t *tape) copied() []*kgo.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.copies)
}

// spoil puts a record onto its topic that nobody can handle. Its value must be like no other.
func (t *tape) spoil(ctx context.Context, r *kgo.Record) error {
	t.mu.Lock()
	t.spoilt[string(r.Value)] = true
	t.mu.Unlock()
	return t.produce(ctx, r)
}

// produce puts a record onto its topic, and notes in it where it is.
func (t *tape) produce(ctx context.Context, r *kgo.Record) error {
	if err := t.client.ProduceSync(ctx, r).FirstErr(); err != nil {
		return fmt.Errorf("produce to %s: %w", r.Topic, err)
	}
	return nil
}
