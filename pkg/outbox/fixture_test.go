package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const (
	// patience bounds every wait for a condition.
	patience   = 20 * time.Second
	partitions = 3
)

var topics = []string{"a.events", "b.events"}

// broker is kfake with the topics, which keeps its log when it is away.
type broker struct {
	*kfake.Cluster
	dir     string
	port    int
	network *kfake.VirtualNetwork // nil: the loopback interface
}

func startBroker(t testing.TB, network *kfake.VirtualNetwork) *broker {
	t.Helper()
	b := &broker{dir: t.TempDir(), network: network}
	if network != nil {
		b.port = 9092
	}
	b.back(t)
	t.Cleanup(func() { b.Close() })
	return b
}

// back starts it, again after Close, at the port where it was.
func (b *broker) back(t testing.TB) {
	t.Helper()
	options := []kfake.Opt{
		kfake.NumBrokers(1), kfake.DataDir(b.dir), kfake.Ports(b.port), kfake.SeedTopics(partitions, topics...),
	}
	if b.network != nil {
		options = append(options, kfake.ListenFn(b.network.Listen))
	}
	var err error
	if b.Cluster, err = kfake.NewCluster(options...); err != nil {
		t.Fatal(err)
	}
	if b.port != 0 {
		return // clients read it meanwhile
	}
	_, port, err := net.SplitHostPort(b.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	if b.port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
}

func (b *broker) client(opts ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{
		kgo.SeedBrokers(fmt.Sprintf("127.0.0.1:%d", b.port)),
		kgo.RetryBackoffFn(func(int) time.Duration { return b.pace(20 * time.Millisecond) }),
		kgo.MetadataMinAge(b.pace(50 * time.Millisecond)),
	}
	if b.network != nil {
		all = append(all, kgo.Dialer(b.network.DialContext))
	}
	return kgo.NewClient(append(all, opts...)...)
}

// pace is quick in real time; in virtual time, where only the number of attempts costs, it is slow.
func (b *broker) pace(quick time.Duration) time.Duration {
	if b.network != nil {
		return 200 * quick
	}
	return quick
}

func (b *broker) mustClient(t testing.TB, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := b.client(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// log returns every record of topic, in order within each partition.
func (b *broker) log(t testing.TB, topic string) (records []*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := b.mustClient(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	var want int64
	ends.Each(func(o kadm.ListedOffset) { want += o.Offset })
	for int64(len(records)) < want {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		records = append(records, fetches.Records()...)
	}
	return records
}

// firsts are the values of topic by key, each where it appears first.
func (b *broker) firsts(t testing.TB, topic string) map[string][]string {
	t.Helper()
	firsts := make(map[string][]string)
	seen := make(map[string]bool)
	for _, r := range b.log(t, topic) {
		if value := string(r.Value); !seen[string(r.Key)+value] {
			seen[string(r.Key)+value] = true
			firsts[string(r.Key)] = append(firsts[string(r.Key)], value)
		}
	}
	return firsts
}

func migrate(t testing.TB, db *sqldb.DB) {
	t.Helper()
	if err := sqldb.Migrate(t.Context(), db, Migrations(), "outbox"); err != nil {
		t.Fatal(err)
	}
}

func quick(b *broker) Config {
	return Config{
		Topics: topics, NewClient: b.client, PollMin: b.pace(time.Millisecond), PollMax: b.pace(5 * time.Millisecond),
		Logger: slog.New(slog.DiscardHandler),
	}
}

func lanesOf(db *sqldb.DB, cfg Config) []*lane { return NewRelay(db, cfg).lanes }

// start runs a relay until stop is called or the test ends.
func start(t testing.TB, r *Relay) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func recordOf(topic, key, value string) Record {
	return Record{
		Topic: topic, Key: key, Value: []byte(value),
		Headers: []event.Header{{Key: "ce_id", Value: []byte(key + "/" + value)}},
	}
}

// insert commits a record for each value, in one transaction.
func insert(t testing.TB, db *sqldb.DB, topic, key string, values ...string) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { return insertIn(t.Context(), tx, topic, key, values...) })
	if err != nil {
		t.Fatal(err)
	}
}

func insertIn(ctx context.Context, tx *sqldb.Tx, topic, key string, values ...string) error {
	records := make([]Record, len(values))
	for i, value := range values {
		records[i] = recordOf(topic, key, value)
	}
	return Insert(ctx, tx, records, time.Now())
}

func depth(t testing.TB, db *sqldb.DB) int64 {
	t.Helper()
	rows, _, err := Depth(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func numbers(from, to int) []string {
	var values []string
	for i := from; i <= to; i++ {
		values = append(values, strconv.Itoa(i))
	}
	return values
}

// eventually waits until what holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s in vain until %s", patience, what)
		case <-look.C:
		}
	}
}
