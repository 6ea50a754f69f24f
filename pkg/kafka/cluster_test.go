package kafka_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

const (
	group = "order"
	topic = "payment.events"
)

// startBroker runs a broker in this process that has the topic.
func startBroker(t *testing.T, partitions int32, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	options = append([]kfake.Opt{
		kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic),
		kfake.BrokerConfigs(map[string]string{
			"group.consumer.session.timeout.ms":    "3000",
			"group.consumer.heartbeat.interval.ms": "300",
		}),
	}, options...)
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func config(cluster *kfake.Cluster) kafka.Config {
	return kafka.Config{Brokers: cluster.ListenAddrs(), ClientID: "test", Logger: slog.New(slog.DiscardHandler)}
}

func newAdmin(t *testing.T, cluster *kfake.Cluster) *kadm.Client {
	t.Helper()
	client, err := kafka.NewClient(config(cluster))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

// newProducer returns what produces values, under one key, to one partition.
func newProducer(t *testing.T, cluster *kfake.Cluster) func(partition int32, key string, values ...string) {
	t.Helper()
	client, err := kafka.NewClient(config(cluster), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return func(partition int32, key string, values ...string) {
		t.Helper()
		var records []*kgo.Record
		for _, v := range values {
			records = append(records, &kgo.Record{Topic: topic, Partition: partition, Key: []byte(key), Value: []byte(v)})
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// takeFunc is what a member hands its batches to.
type takeFunc = func(context.Context, []work.Message[string]) ([]work.Refusal, error)

// member of the group, which runs until it is stopped.
type member struct {
	*kafka.Consumer[string]
	cancel context.CancelFunc
	stop   func() error // idempotent; returns what Run returned
	done   chan struct{}
}

// decode makes a message whose id and input are the record's value.
func decode(_ context.Context, r *kgo.Record) (work.Message[string], bool, error) {
	m := work.Message[string]{Scope: r.Topic, ID: string(r.Value), Key: string(r.Key), Input: string(r.Value)}
	m.Record = &work.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
	return m, true, nil
}

func join(t *testing.T, cluster *kfake.Cluster, take takeFunc, edits ...func(*kafka.ConsumerConfig[string])) *member {
	t.Helper()
	cfg := kafka.ConsumerConfig[string]{
		Config: config(cluster), Group: group, Topics: []string{topic}, Decode: decode, Take: take,
	}
	for _, edit := range edits {
		edit(&cfg)
	}
	consumer, err := kafka.NewConsumer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{Consumer: consumer, cancel: cancel, done: make(chan struct{})}
	var ended error
	go func() {
		defer close(m.done)
		ended = consumer.Run(ctx)
	}()
	m.stop = func() error {
		cancel()
		<-m.done
		return ended
	}
	t.Cleanup(func() { _ = m.stop() })
	return m
}

// sink keeps what was handed over, in order, and tells when more comes.
type sink struct {
	mu      sync.Mutex
	changed chan struct{}
	batches [][]string
	handled []work.Message[string]
}

func newSink() *sink { return &sink{changed: make(chan struct{})} }

func (s *sink) take(_ context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(messages) == 0 {
		return nil, nil
	}
	batch := make([]string, len(messages))
	for i, m := range messages {
		batch[i] = m.ID
	}
	s.batches = append(s.batches, batch)
	s.handled = append(s.handled, messages...)
	close(s.changed)
	s.changed = make(chan struct{})
	return nil, nil
}

// await waits until n different messages were handed over.
func (s *sink) await(t *testing.T, n int) {
	t.Helper()
	for {
		s.mu.Lock()
		different := make(map[string]bool)
		for _, m := range s.handled {
			different[m.ID] = true
		}
		changed := s.changed
		s.mu.Unlock()
		if len(different) >= n {
			return
		}
		<-changed // the deadline is that of the test run
	}
}

// ids returns what was handed over, of one partition or, below zero, of all.
func (s *sink) ids(partition int32) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, m := range s.handled {
		if partition < 0 || m.Record.Partition == partition {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// firsts returns, by key, the messages in the order of their first appearance.
func (s *sink) firsts() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	firsts, seen := make(map[string][]string), make(map[string]bool)
	for _, m := range s.handled {
		if !seen[m.ID] {
			seen[m.ID] = true
			firsts[m.Key] = append(firsts[m.Key], m.ID)
		}
	}
	return firsts
}

// repeated returns what was handed over more than once.
func (s *sink) repeated() []string {
	ids := s.ids(-1)
	slices.Sort(ids)
	var repeated []string
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			repeated = append(repeated, ids[i])
		}
	}
	return repeated
}

// awaitCommits waits until the group has committed at least these offsets, by partition.
func awaitCommits(t *testing.T, cluster *kfake.Cluster, want map[int32]int64) {
	t.Helper()
	_, err := cluster.WaitGroupInfo(t.Context(), group, func(info *kfake.GroupInfo) bool {
		for partition, offset := range want {
			if info == nil || info.Commits[topic][partition].Offset < offset {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}

// commits returns the group's committed offsets, by partition.
func commits(cluster *kfake.Cluster) map[int32]int64 {
	offsets := make(map[int32]int64)
	if info := cluster.GroupInfo(group); info != nil {
		for partition, c := range info.Commits[topic] {
			offsets[partition] = c.Offset
		}
	}
	return offsets
}

// logged is a log that tells when a line with the text was written.
type logged struct {
	slog.Handler
	text string
	once *sync.Once
	seen chan struct{}
}

func newLogged(text string) logged {
	return logged{slog.DiscardHandler, text, new(sync.Once), make(chan struct{})}
}

func (l logged) Enabled(context.Context, slog.Level) bool { return true }
func (l logged) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l logged) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, l.text) {
		l.once.Do(func() { close(l.seen) })
	}
	return nil
}

func giveBackWithin(d time.Duration) func(*kafka.ConsumerConfig[string]) {
	return func(c *kafka.ConsumerConfig[string]) { c.GiveBack = d }
}

func wantError(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}
