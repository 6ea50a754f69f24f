package projection_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

type priced struct {
	SKU string `avro:"sku"`
}

func (*priced) EventType() string { return "test.Priced" }

type strange struct {
	SKU string `avro:"sku"`
}

func (*strange) EventType() string { return "test.Strange" }

const topic = "prices"

func clock() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func typeOf(name string, data func() event.Data) serde.Type {
	return serde.Type{Name: "test." + name, Topic: topic, New: data, Schema: `{"type":"record","name":"` + name +
		`","namespace":"test","fields":[{"name":"sku","type":"string"}]}`}
}

// stall is a broker with a topic of three partitions, and what knows its types.
type stall struct {
	t       *testing.T
	cluster *kfake.Cluster
	writer  *serde.Codec
	topic   projection.Topic
}

func newStall(t *testing.T) *stall {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	fake := srfake.New()
	t.Cleanup(fake.Close)
	registry, err := serde.NewClient(fake.URL())
	if err != nil {
		t.Fatal(err)
	}
	known := []serde.Type{typeOf("Priced", func() event.Data { return new(priced) })}
	all := append(known, typeOf("Strange", func() event.Data { return new(strange) }))
	if err := serde.Register(t.Context(), registry, all); err != nil {
		t.Fatal(err)
	}
	s := &stall{t: t, cluster: cluster}
	var err1, err2 error
	s.writer, err1 = serde.New(t.Context(), registry, all)
	s.topic.Codec, err2 = serde.New(t.Context(), registry, known)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	s.topic.Name, s.topic.Logger = topic, slog.New(slog.DiscardHandler)
	s.topic.Client = func(opts ...kgo.Opt) (*kgo.Client, error) {
		opts = append(opts, kgo.SeedBrokers(cluster.ListenAddrs()...))
		return kgo.NewClient(opts...)
	}
	return s
}

// publish appends an event; without data, a tombstone. Garbled bytes replace its value.
func (s *stall) publish(sku string, sequence int64, data event.Data, garbled ...byte) {
	s.t.Helper()
	client, err := s.topic.Client()
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	s.append(client, sku, sequence, data, garbled...)
}

func (s *stall) append(by *kgo.Client, sku string, sequence int64, data event.Data, garbled ...byte) {
	s.t.Helper()
	e := event.Event{
		ID: event.NewID(), Type: "test.Priced", Source: "/test", Topic: topic, Key: sku, Sequence: sequence,
		Time: event.Now(clock), Cause: event.Cause{ID: event.NewID(), Correlation: event.NewID()}, Data: data,
	}
	var value []byte
	if data != nil {
		var err error
		if value, err = s.writer.Append(nil, data); err != nil {
			s.t.Fatal(err)
		}
		e.Type = data.EventType()
	}
	if len(garbled) > 0 {
		value = garbled
	}
	r := &kgo.Record{Topic: topic, Key: []byte(sku), Value: value}
	for _, h := range event.Headers(e) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if err := by.ProduceSync(s.t.Context(), r).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
}

// read reads to the end from a position and returns what came by sku, its sequences in order, and the position after
// each batch.
func (s *stall) read(position string, limit int) (came map[string][]int64, positions []string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(s.t.Context(), patience)
	defer stop()
	c, err := s.topic.Open(ctx, nil, position)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	came = make(map[string][]int64)
	for {
		events, position, err := c.Next(ctx, limit)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(events) == 0 {
			return came, positions
		}
		for _, e := range events {
			came[e.Key] = append(came[e.Key], e.Sequence)
		}
		positions = append(positions, position)
	}
}

func TestATopicIsReadToItsEnd(t *testing.T) {
	s := newStall(t)
	if came, _ := s.read("", 10); len(came) != 0 {
		t.Errorf("an empty topic tells %v", came)
	}
	want := map[string][]int64{"tea": {1, 2}, "cup": {1}, "pot": {4}}
	s.publish("tea", 1, &priced{"tea"})
	s.publish("cup", 1, &priced{"cup"})
	s.publish("odd", 1, &strange{"odd"})            // a type that is not ours
	s.publish("bad", 1, &priced{"bad"}, 0, 1, 2, 3) // nobody can read this
	value, err := s.writer.Append(nil, &priced{"lie"})
	if err != nil {
		t.Fatal(err)
	}
	s.publish("lie", 1, &strange{"lie"}, value...) // its headers claim another type than its schema
	s.publish("tea", 2, &priced{"tea"})
	s.publish("pot", 4, nil)
	came, positions := s.read("", 1)
	if diff := cmp.Diff(want, came); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if total, err := s.topic.Total(t.Context(), nil); err != nil || total != 7 {
		t.Errorf("total %d, %v", total, err)
	}
	for n, position := range positions {
		rest, _ := s.read(position, 10)
		left := 0
		for _, sequences := range rest {
			left += len(sequences)
		}
		if left != len(positions)-n-1 {
			t.Errorf("after %s there are %v", position, rest)
		}
	}
}

// The end of a partition may be the mark of a transaction, or what compaction has removed: it is never reached.
func TestATopicThatEndsWithNoRecordIsReadToItsEnd(t *testing.T) {
	t.Parallel() // it waits, as the next does
	s := newStall(t)
	producer, err := s.topic.Client(kgo.TransactionalID("test"))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	if err := producer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	s.append(producer, "tea", 1, &priced{"tea"})
	if err := producer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if came, _ := s.read("", 10); !cmp.Equal(came, map[string][]int64{"tea": {1}}) {
		t.Errorf("read %v", came)
	}
}

// A client that is told nothing, though there is more, has not read to the end: what it missed would be missing.
func TestATopicThatIsSilentBeforeItsEndIsAway(t *testing.T) {
	t.Parallel()
	s := newStall(t)
	s.publish("tea", 1, &priced{"tea"})
	open, deaf := s.topic.Client, 1
	s.topic.Client = func(opts ...kgo.Opt) (*kgo.Client, error) {
		client, err := open(opts...)
		if err == nil && len(opts) > 0 && deaf > 0 { // one that reads
			deaf--
			client.PauseFetchTopics(topic)
		}
		return client, err
	}
	c, err := s.topic.Open(t.Context(), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if events, _, err := c.Next(t.Context(), 10); len(events) > 0 || !errors.Is(err, projection.ErrAway) {
		t.Errorf("it reads %v, %v", events, err)
	}
	if came, _ := s.read("", 10); !cmp.Equal(came, map[string][]int64{"tea": {1}}) {
		t.Errorf("later: %v", came)
	}
}

func TestATopicWhoseBrokerIsAway(t *testing.T) {
	s := newStall(t)
	s.publish("tea", 1, &priced{"tea"})
	s.topic.Name = "of nobody"
	if _, err := s.topic.Open(t.Context(), nil, ""); !errors.Is(err, projection.ErrAway) {
		t.Errorf("without the topic: %v", err)
	}
	s.topic.Name = topic
	if _, err := s.topic.Open(t.Context(), nil, "one:two"); err == nil || errors.Is(err, projection.ErrAway) {
		t.Errorf("at a position that is none: %v", err)
	}
	if came, _ := s.read("", 10); !cmp.Equal(came, map[string][]int64{"tea": {1}}) {
		t.Errorf("after all: %v", came)
	}
}
