package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// series returns n values, such as "a/0" and "a/1".
func series(key string, from, to int) []string {
	var values []string
	for i := from; i < to; i++ {
		values = append(values, fmt.Sprintf("%s/%d", key, i))
	}
	return values
}

func TestConsumerKeepsTheOrderOfAKeyAndCommitsOnceTaken(t *testing.T) {
	cluster := startBroker(t, 3)
	produce := newProducer(t, cluster)
	want := make(map[string][]string)
	for i, key := range []string{"a", "b", "c", "d", "e", "f"} {
		want[key] = series(key, 0, 200)
		produce(int32(i%3), key, want[key]...)
	}

	s := newSink()
	entered, release := make(chan struct{}), make(chan struct{})
	first := join(t, cluster, func(ctx context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
		select {
		case <-entered:
		default:
			close(entered)
			<-release
		}
		return s.take(ctx, messages)
	})
	<-entered
	if got := commits(cluster); len(got) > 0 {
		t.Errorf("G7: offsets %v committed before Take returned", got)
	}
	if err := first.Err(); err != nil {
		t.Errorf("Err of a consumer that joined = %v", err)
	}
	close(release)
	s.await(t, 1200)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, s.firsts()); diff != "" {
		t.Errorf("order by key (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int32]int64{0: 400, 1: 400, 2: 400}, commits(cluster)); diff != "" {
		t.Errorf("committed offsets (-want +got):\n%s", diff)
	}

	produce(1, "b", "b/new")
	join(t, cluster, s.take)
	s.await(t, 1201)
	if repeated := s.repeated(); len(repeated) > 0 {
		t.Errorf("handed over twice, although the first consumer stopped well: %v", repeated)
	}
}

func TestARefusedCommitIsMadeAgain(t *testing.T) {
	for name, refuse := range map[string]func(*kfake.Cluster){
		"refused": func(cluster *kfake.Cluster) {
			cluster.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.TopicAuthorizationFailed, Count: 2,
			})
		},
		"never answered": func(cluster *kfake.Cluster) {
			cluster.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
				cluster.SleepControl(func() { time.Sleep(time.Second) }) // far longer than the consumer waits
				return nil, errors.New("the coordinator has gone"), true
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startBroker(t, 2)
			refuse(cluster)
			s := newSink()
			join(t, cluster, s.take, giveBackWithin(100*time.Millisecond))
			produce := newProducer(t, cluster)
			produce(0, "a", "a/0", "a/1")
			s.await(t, 2)
			produce(1, "b", "b/0") // and nothing ever comes behind them
			within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := cluster.WaitGroupInfo(within, group, func(info *kfake.GroupInfo) bool {
				return info.Commits[topic][0].Offset == 2 && info.Commits[topic][1].Offset == 1
			})
			if err != nil {
				t.Errorf("G7: offsets %v are committed after a refusal, want {0:2 1:1}", commits(cluster))
			}
		})
	}
}

func TestConsumerMovesPastUnwantedRecords(t *testing.T) {
	cluster := startBroker(t, 1)
	newProducer(t, cluster)(0, "a", "skip/0", "a/1", "skip/2", "skip/3")
	s := newSink()
	join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) {
		c.Decode = func(ctx context.Context, r *kgo.Record) (work.Message[string], bool, error) {
			m, _, err := decode(ctx, r)
			return m, !strings.HasPrefix(m.ID, "skip"), err
		}
	})
	awaitCommits(t, cluster, map[int32]int64{0: 4})
	if diff := cmp.Diff([]string{"a/1"}, s.ids(-1)); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
}

func TestConsumerTriesAgainWhileTheRegistryIsAway(t *testing.T) {
	cluster := startBroker(t, 1)
	newProducer(t, cluster)(0, "a", series("a", 0, 3)...)
	s := newSink()
	var calls atomic.Int32
	join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) {
		c.Decode = func(ctx context.Context, r *kgo.Record) (work.Message[string], bool, error) {
			if n := calls.Add(1); n == 2 || n == 3 {
				return work.Message[string]{}, false, errors.New("the registry is away")
			}
			return decode(ctx, r)
		}
	})
	s.await(t, 3)
	if diff := cmp.Diff(series("a", 0, 3), s.ids(-1)); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	cluster := startBroker(t, 1)
	large := func(name string, n int) string { return name + strings.Repeat(".", n-1) }
	newProducer(t, cluster)(0, "a", large("1", 400), large("2", 400), large("3", 400), large("4", 3000),
		large("5", 100), large("6", 100), large("7", 100), large("8", 100))
	s := newSink()
	join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) { c.MaxBytes, c.MaxRecords = 1000, 7 })
	s.await(t, 8)
	var batches []string
	for _, batch := range s.batches {
		names := ""
		for _, id := range batch {
			names += id[:1]
		}
		batches = append(batches, names)
	}
	if diff := cmp.Diff([]string{"12", "3", "4", "567", "8"}, batches); diff != "" {
		t.Errorf("batches of at most 1000 bytes and 7 records (-want +got):\n%s", diff)
	}
}

// TestOffsetsMovePastWhatTheUnitKeeps: a refused record is parked or dead, which is the unit's affair.
func TestOffsetsMovePastWhatTheUnitKeeps(t *testing.T) {
	cluster := startBroker(t, 2)
	produce := newProducer(t, cluster)
	produce(0, "a", series("a", 0, 12)...)
	produce(1, "b", series("b", 0, 12)...)
	s := newSink()
	refuse := func(ctx context.Context, messages []work.Message[string]) ([]work.Refusal, error) {
		_, err := s.take(ctx, messages)
		refusals := make([]work.Refusal, len(messages))
		for i := range messages {
			refusals[i] = work.Refusal{Index: i, Err: work.ErrBehind}
		}
		return refusals, err
	}
	m := join(t, cluster, refuse, func(c *kafka.ConsumerConfig[string]) { c.MaxRecords = 5 })
	awaitCommits(t, cluster, map[int32]int64{0: 12, 1: 12})
	if err := m.Err(); err != nil {
		t.Errorf("G8: a refused record stops its partition: %v", err)
	}
	if diff := cmp.Diff(map[string][]int32{topic: {0, 1}}, sorted(m.Owned())); diff != "" {
		t.Errorf("owned (-want +got):\n%s", diff)
	}
}

func sorted(owned map[string][]int32) map[string][]int32 {
	for _, ids := range owned {
		slices.Sort(ids)
	}
	return owned
}

func TestGroupWithoutOffsetsStartsAtTheEarliest(t *testing.T) {
	cluster := startBroker(t, 1)
	newProducer(t, cluster)(0, "a", series("a", 0, 10)...)
	if err := cluster.DeleteRecords(topic, 0, 4); err != nil {
		t.Fatal(err)
	}
	s := newSink()
	join(t, cluster, s.take)
	s.await(t, 6)
	if diff := cmp.Diff(series("a", 4, 10), s.ids(0)); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
}

func TestOffsetOutOfRangeStopsThePartition(t *testing.T) {
	cluster := startBroker(t, 2)
	produce := newProducer(t, cluster)
	produce(0, "a", series("a", 0, 10)...)
	produce(1, "b", series("b", 0, 10)...)
	committed := make(kadm.Offsets)
	committed.Add(kadm.Offset{Topic: topic, Partition: 0, At: 2, LeaderEpoch: -1})
	if _, err := newAdmin(t, cluster).CommitOffsets(t.Context(), group, committed); err != nil {
		t.Fatal(err)
	}
	if err := cluster.DeleteRecords(topic, 0, 5); err != nil {
		t.Fatal(err)
	}
	s, log := newSink(), newLogged("cannot read partition")
	reader := sdkmetric.NewManualReader()
	metrics, err := kafka.NewMetrics(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test"))
	if err != nil {
		t.Fatal(err)
	}
	m := join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) { c.Logger, c.Metrics = slog.New(log), metrics })
	<-log.seen
	awaitCommits(t, cluster, map[int32]int64{1: 10})
	wantError(t, m.Err(), topic, "partition 0", "OFFSET_OUT_OF_RANGE")
	produce(0, "a", "a/10")
	produce(1, "b", "b/10")
	awaitCommits(t, cluster, map[int32]int64{1: 11})
	if ids := s.ids(0); len(ids) > 0 {
		t.Errorf("%v handed over, although records before them are lost", ids)
	}
	if got := commits(cluster)[0]; got != 2 {
		t.Errorf("committed offset of the lost partition = %d, want 2", got)
	}
	if got := stopped(t, reader); got != 1 {
		t.Errorf("G7: the metric counts %d stopped partitions, want 1", got)
	}
	if err := m.stop(); err != nil {
		t.Errorf("Run ended with %v", err)
	}
	if got := stopped(t, reader); got != 0 {
		t.Errorf("the metric counts %d stopped partitions after the consumer has left", got)
	}
}

// TestABatchThatUnpacksToFarTooMuchStopsItsPartition: some thousand bytes may claim more than there is memory.
func TestABatchThatUnpacksToFarTooMuchStopsItsPartition(t *testing.T) {
	cluster := startBroker(t, 2)
	hostile, err := kafka.NewClient(config(cluster), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerBatchMaxBytes(40<<20), kgo.BrokerMaxWriteBytes(100<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer hostile.Close()
	bomb := &kgo.Record{Topic: topic, Key: []byte("a"), Value: make([]byte, 20<<20)}
	if err := hostile.ProduceSync(t.Context(), bomb).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s, log := newSink(), newLogged("cannot read partition")
	m := join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) { c.Logger = slog.New(log) })
	<-log.seen
	newProducer(t, cluster)(1, "b", series("b", 0, 10)...)
	awaitCommits(t, cluster, map[int32]int64{1: 10})
	wantError(t, m.Err(), topic, "partition 0", "decompress")
	if ids := s.ids(0); len(ids) > 0 {
		t.Errorf("G8: a record of %d bytes was handed over", len(ids[0]))
	}
}

func TestErrBeforeTheGroupIsJoined(t *testing.T) {
	consumer, err := kafka.NewConsumer(kafka.ConsumerConfig[string]{
		Config: kafka.Config{Brokers: []string{"127.0.0.1:1"}, Logger: slog.New(slog.DiscardHandler)},
		Group:  group, Topics: []string{topic}, Decode: decode, Take: newSink().take,
	})
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, consumer.Err(), group, "not joined")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := consumer.Run(ctx); err != nil {
		t.Errorf("Run with a context that had ended = %v", err)
	}
}

// stopped sums up the gauge of stopped partitions.
func stopped(t *testing.T, reader sdkmetric.Reader) (n int64) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if gauge, ok := m.Data.(metricdata.Gauge[int64]); ok && m.Name == "quadrille.consumer.stopped" {
				for _, p := range gauge.DataPoints {
					n += p.Value
				}
			}
		}
	}
	return n
}
