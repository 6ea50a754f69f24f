package outbox

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// TestALaneStandsStillAtAnOversizedRecord until the limit is raised; nothing of its key overtakes.
func TestALaneStandsStillAtAnOversizedRecord(t *testing.T) {
	const limit = 2000
	big := strings.Repeat("B", limit)
	for _, tc := range []struct {
		name string
		// relay runs once with the limit and once without.
		relay func(t *testing.T, db *sqldb.DB, b *broker, max int)
		left  int64
		want  []string
	}{
		{"naive: hand over all, delete what is acknowledged", func(t *testing.T, db *sqldb.DB, b *broker, max int) {
			l := lanesOf(db, quick(b))[0]
			rows, err := l.oldest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			client := b.mustClient(t, kgo.ProducerBatchMaxBytes(int32(max)))
			var acknowledged []row
			for _, r := range rows {
				record := &kgo.Record{Topic: r.Topic, Key: []byte(r.Key), Value: r.Value}
				if client.ProduceSync(t.Context(), record).FirstErr() == nil {
					acknowledged = append(acknowledged, r)
				}
			}
			if err := l.remove(t.Context(), acknowledged); err != nil {
				t.Fatal(err)
			}
		}, 1, []string{"1", "3", big}},
		{"lane", func(t *testing.T, db *sqldb.DB, b *broker, max int) {
			cfg := quick(b)
			cfg.MaxRecordBytes = max
			relay := NewRelay(db, cfg)
			stop := start(t, relay)
			defer stop()
			if max > limit {
				eventually(t, "the lane goes on", func() bool { return depth(t, db) == 0 && relay.Err() == nil })
				return
			}
			eventually(t, "the lane stands still", func() bool { return errors.Is(relay.Err(), ErrTooLarge) })
			insert(t, db, "b.events", "x", "2")
			eventually(t, "the other lane goes on", func() bool { return depth(t, db) == 2 })
		}, 2, []string{"1", big, "3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrate(t, db)
				b := startBroker(t, nil)
				insert(t, db, "a.events", "x", "1", big, "3")
				tc.relay(t, db, b, limit)
				if got := depth(t, db); got != tc.left {
					t.Errorf("%d rows left, want %d", got, tc.left)
				}
				tc.relay(t, db, b, 10*limit)
				if diff := cmp.Diff(tc.want, b.firsts(t, "a.events")["x"]); diff != "" {
					t.Error("published (-want +got):\n" + diff)
				}
			})
		})
	}
}

// TestNothingOvertakesARecordThatFails: a round ends at the first record that cannot be published.
func TestNothingOvertakesARecordThatFails(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		cfg := quick(b)
		cfg.MaxRecordBytes = 1000
		l := lanesOf(db, cfg)[0]
		defer l.renew()
		insert(t, db, "a.events", "x", "1", strings.Repeat("B", 1000), "3")
		for range 2 {
			if _, err := l.round(t.Context()); !errors.Is(err, ErrTooLarge) {
				t.Errorf("error %v, want ErrTooLarge", err)
			}
		}
		if diff := cmp.Diff([]string{"1"}, b.firsts(t, "a.events")["x"]); diff != "" || depth(t, db) != 2 {
			t.Errorf("G3: published past the record that failed, %d rows are left (-want +got):\n%s", depth(t, db), diff)
		}
	})
}

// TestWhatItsTopicDoesNotTakeStays: a row is no copy that may get lost, a dead letter's neither.
func TestWhatItsTopicDoesNotTakeStays(t *testing.T) {
	const topic = "a.deadletter" // which nobody has created yet
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		cfg := quick(b)
		cfg.Topics, cfg.ProduceWithin = []string{topic}, time.Second
		l := lanesOf(db, cfg)[0]
		defer l.renew()
		insert(t, db, topic, "x", "1")
		if _, err := l.round(t.Context()); err == nil {
			t.Error("published to a topic that does not exist")
		}
		if got := depth(t, db); got != 1 {
			t.Errorf("G7: %d rows are left, want the one that could not be published", got)
		}
		if _, err := kadm.NewClient(b.mustClient(t)).CreateTopic(t.Context(), 1, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is published", func() bool { n, err := l.round(t.Context()); return n == 1 && err == nil })
		if diff := cmp.Diff(map[string][]string{"x": {"1"}}, b.firsts(t, topic)); diff != "" {
			t.Error("G7: published (-want +got):\n" + diff)
		}
	})
}

// deafDialer makes connections that can stop hearing: what the broker answers never arrives.
type deafDialer struct {
	mu    sync.Mutex
	conns []*deafConn
}

type deafConn struct {
	net.Conn
	deaf   atomic.Bool
	closed chan struct{}
	once   sync.Once
}

func (d *deafDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &deafConn{Conn: conn, closed: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, c)
	return c, nil
}

// deafen stops every connection made so far.
func (d *deafDialer) deafen() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		c.deaf.Store(true)
	}
}

func (c *deafConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.deaf.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// TestAProduceWithoutAnAnswer renews the client and starts again at the oldest row.
func TestAProduceWithoutAnAnswer(t *testing.T) {
	for _, tc := range []struct {
		name string
		// lose makes the first produce request go without an answer.
		lose func(b *broker, d *deafDialer)
		// relay publishes what is in the outbox.
		relay func(t *testing.T, db *sqldb.DB, cfg Config)
		lost  bool
	}{
		{"naive: delete what was handed over", swallow, func(t *testing.T, db *sqldb.DB, cfg Config) {
			l := lanesOf(db, cfg)[0]
			rows, err := l.oldest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			client, err := cfg.NewClient(kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.NoAck()))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for _, r := range rows {
				record := &kgo.Record{Topic: r.Topic, Key: []byte(r.Key), Value: r.Value}
				if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if err := l.remove(t.Context(), rows); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"the request is lost", swallow, relayUntilEmpty, false},
		{"the answer is lost", func(b *broker, d *deafDialer) {
			var once sync.Once
			b.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				b.KeepControl()
				once.Do(d.deafen)
				return nil, nil, false
			})
		}, relayUntilEmpty, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrate(t, db)
				b := startBroker(t, nil)
				dialer := &deafDialer{}
				var clients atomic.Int64
				cfg := quick(b)
				cfg.Topics, cfg.ProduceWithin = []string{"a.events"}, 300*time.Millisecond
				cfg.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) {
					clients.Add(1)
					return b.client(append(opts, kgo.Dialer(dialer.dial))...)
				}
				insert(t, db, "a.events", "x", numbers(1, 20)...)
				tc.lose(b, dialer)
				tc.relay(t, db, cfg)
				if got := depth(t, db); got != 0 {
					t.Errorf("%d rows left", got)
				}
				got := b.firsts(t, "a.events")["x"]
				if tc.lost {
					if len(got) == 20 {
						t.Error("nothing was lost: the test tested nothing")
					}
					return
				}
				if diff := cmp.Diff(numbers(1, 20), got); diff != "" {
					t.Error("G1: published (-want +got):\n" + diff)
				}
				if clients.Load() < 2 {
					t.Error("the client was not renewed")
				}
			})
		})
	}
}

// swallow drops the first produce request.
func swallow(b *broker, _ *deafDialer) {
	b.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) { return nil, nil, true })
}

func relayUntilEmpty(t *testing.T, db *sqldb.DB, cfg Config) {
	stop := start(t, NewRelay(db, cfg))
	defer stop()
	eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
}

// TestARefusedBatchStopsTheLane: what the broker refuses stays, with all that comes after it.
func TestARefusedBatchStopsTheLane(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		fault := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "a.events", Count: -1})
		insert(t, db, "a.events", "x", "1", "2")
		insert(t, db, "b.events", "x", "1", "2")
		relay := NewRelay(db, quick(b))
		start(t, relay)
		eventually(t, "one lane stands still, the other goes on", func() bool {
			return relay.Err() != nil && depth(t, db) == 2
		})
		if got := b.firsts(t, "a.events"); len(got) != 0 {
			t.Errorf("published %v", got)
		}
		fault.Remove()
		eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 && relay.Err() == nil })
		if diff := cmp.Diff(map[string][]string{"x": {"1", "2"}}, b.firsts(t, "a.events")); diff != "" {
			t.Error("published (-want +got):\n" + diff)
		}
	})
}

// TestNothingOvertakesARefusedBatch: the broker refuses the first that it is asked to take, while the lane still hands
// over what comes behind it.
func TestNothingOvertakesARefusedBatch(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		start(t, NewRelay(db, quick(b)))
		const rounds, rows = 20, 900
		for round := range rounds {
			insert(t, db, "a.events", "x", strconv.Itoa(round)) // the lane knows its partition
			eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
			b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "a.events", Err: kerr.MessageTooLarge})
			insert(t, db, "a.events", "x", numbers(1000*(round+1), 1000*(round+1)+rows)...)
			eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
		}
		last := 0
		for _, text := range b.firsts(t, "a.events")["x"] {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			if n >= 1000 && n < last {
				t.Fatalf("G3: a record overtook a refused batch: %d was published after %d", n, last)
			}
			last = max(last, n)
		}
	})
}
