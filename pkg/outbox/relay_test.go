package outbox

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestRelayPublishesInOrderAndDeletes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		cfg := quick(b)
		cfg.BatchRows = 7
		for i := range 10 {
			for _, key := range []string{"x", "y", "z"} {
				insert(t, db, "a.events", key, fmt.Sprint(2*i), fmt.Sprint(2*i+1))
			}
			insert(t, db, "b.events", "x", fmt.Sprint(i))
		}
		start(t, NewRelay(db, cfg))
		eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
		want := map[string][]string{"x": numbers(0, 19), "y": numbers(0, 19), "z": numbers(0, 19)}
		if diff := cmp.Diff(want, b.firsts(t, "a.events")); diff != "" {
			t.Error("a.events (-want +got):\n" + diff)
		}
		if n := len(b.log(t, "a.events")); n != 60 {
			t.Errorf("%d records, want 60: none twice", n)
		}
		if diff := cmp.Diff(map[string][]string{"x": numbers(0, 9)}, b.firsts(t, "b.events")); diff != "" {
			t.Error("b.events (-want +got):\n" + diff)
		}
	})
}

func TestRelayPublishesRecordsAsTheyWereInserted(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		long := time.Now().Add(-time.Hour)
		headers := []event.Header{{Key: "ce_id", Value: []byte("1")}, {Key: "ce_id", Value: []byte("ü\"2")}, {Key: "empty"}}
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			return Insert(t.Context(), tx, []Record{
				{Topic: "a.events", Key: "x", Headers: headers, Value: []byte{0, 255, 0}},
				{Topic: "a.events", Key: "x"},
			}, long)
		})
		if err != nil {
			t.Fatal(err)
		}
		rows, oldest, err := Depth(t.Context(), db)
		if err != nil || rows != 2 || !oldest.Equal(event.Now(func() time.Time { return long })) {
			t.Errorf("depth %d, oldest %s, error %v", rows, oldest, err)
		}

		start(t, NewRelay(db, quick(b)))
		eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
		got := b.log(t, "a.events")
		if len(got) != 2 {
			t.Fatalf("%d records", len(got))
		}
		if string(got[0].Key) != "x" || string(got[0].Value) != "\x00\xff\x00" {
			t.Errorf("record %q: %q", got[0].Key, got[0].Value)
		}
		want := []kgo.RecordHeader{{Key: "ce_id", Value: []byte("1")}, {Key: "ce_id", Value: []byte("ü\"2")},
			{Key: "empty", Value: []byte{}}}
		if diff := cmp.Diff(want, got[0].Headers); diff != "" {
			t.Error("headers (-want +got):\n" + diff)
		}
		if got[1].Value != nil {
			t.Errorf("tombstone has value %q", got[1].Value)
		}
		// Retention counts from when it was produced, however long it waited.
		if age := time.Since(got[0].Timestamp); age > time.Minute {
			t.Errorf("stamped %s ago", age)
		}
		if rows, oldest, err := Depth(t.Context(), db); rows != 0 || !oldest.IsZero() || err != nil {
			t.Errorf("depth %d, oldest %s, error %v", rows, oldest, err)
		}
	})
}

// TestCommitsGoOnWhileTheBrokerIsAway takes the broker away for a virtual hour.
func TestCommitsGoOnWhileTheBrokerIsAway(t *testing.T) {
	const minutes = 60
	for _, tc := range []struct {
		name string
		// publish makes commit follow each transaction with what its relay does of it.
		publish func(t *testing.T, db *sqldb.DB, b *broker) (commit func(value string))
		want    map[string][]string
	}{
		{"naive: commit, then produce", func(t *testing.T, _ *sqldb.DB, b *broker) func(string) {
			client := b.mustClient(t, kgo.DisableIdempotentWrite(), kgo.RecordRetries(3),
				kgo.RecordDeliveryTimeout(5*time.Second))
			return func(value string) {
				// The transaction would be committed here; what cannot be produced now has nobody to produce it later.
				_ = client.ProduceSync(t.Context(), &kgo.Record{Topic: "a.events", Key: []byte("x"), Value: []byte(value)})
			}
		}, map[string][]string{"x": {"0"}}},
		{"relay", func(t *testing.T, db *sqldb.DB, b *broker) func(string) {
			relay := NewRelay(db, quick(b))
			start(t, relay)
			return func(value string) {
				insert(t, db, "a.events", "x", value)
				relay.Wake()
			}
		}, map[string][]string{"x": numbers(0, minutes)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := sqltest.SQLite(t)
				migrate(t, db)
				b := startBroker(t, &kfake.VirtualNetwork{})
				commit := tc.publish(t, db, b)
				commit("0")
				eventually(t, "the first is published", func() bool { return depth(t, db) == 0 })
				b.Close()
				for i := range minutes {
					commit(fmt.Sprint(i + 1))
					<-time.After(time.Minute)
				}
				b.back(t)
				eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
				if diff := cmp.Diff(tc.want, b.firsts(t, "a.events")); diff != "" {
					t.Error("published (-want +got):\n" + diff)
				}
			})
		})
	}
}

// TestCommitsGoOnWhileARecordIsProduced commits between reading rows and handing them over, when a lane asks for its
// client.
func TestCommitsGoOnWhileARecordIsProduced(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		cfg := quick(b)
		cfg.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err := db.Tx(ctx, func(tx *sqldb.Tx) error { return insertIn(ctx, tx, "a.events", "x", "2") })
			if err != nil {
				t.Errorf("G1: no commit while a record is produced: %v", err)
			}
			return b.client(opts...)
		}
		insert(t, db, "a.events", "x", "1")
		l := lanesOf(db, cfg)[0]
		defer l.renew()
		if _, err := l.round(t.Context()); err != nil {
			t.Error(err)
		}
		if got := depth(t, db); got != 1 {
			t.Errorf("%d rows are left, want that of the commit in between", got)
		}
	})
}

func TestARelayOutlivesARestartOfTheBroker(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		b := startBroker(t, nil)
		cfg := quick(b)
		cfg.ProduceWithin = time.Second
		relay := NewRelay(db, cfg)
		start(t, relay)
		insert(t, db, "a.events", "x", "0")
		eventually(t, "the first is published", func() bool { return depth(t, db) == 0 })
		b.Close()
		for i := range 20 {
			insert(t, db, "a.events", "x", fmt.Sprint(i+1))
		}
		b.back(t)
		eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
		if diff := cmp.Diff(map[string][]string{"x": numbers(0, 20)}, b.firsts(t, "a.events")); diff != "" {
			t.Error("published (-want +got):\n" + diff)
		}
		eventually(t, "the relay is well", func() bool { return relay.Err() == nil })
	})
}

// TestWakeSparesTheWait: a lane that would look again in an hour publishes at once.
func TestWakeSparesTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrate(t, db)
		b := startBroker(t, &kfake.VirtualNetwork{})
		cfg := quick(b)
		cfg.PollMin, cfg.PollMax = time.Hour, time.Hour
		relay := NewRelay(db, cfg)
		start(t, relay)
		synctest.Wait()
		insert(t, db, "a.events", "x", "1")
		relay.Wake()
		relay.Wake() // never blocks
		begun := time.Now()
		eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
		if waited := time.Since(begun); waited > time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

// TestOneRelayWorksAndAnotherTakesOver: the lock spares duplicates and does not outlive its holder.
func TestOneRelayWorksAndAnotherTakesOver(t *testing.T) {
	db := sqltest.Postgres(t)
	migrate(t, db)
	b := startBroker(t, nil)
	stop := start(t, NewRelay(db, quick(b)))
	insert(t, db, "a.events", "x", "1")
	eventually(t, "the first relay works", func() bool { return depth(t, db) == 0 })

	second := NewRelay(db, quick(b))
	start(t, second)
	insert(t, db, "a.events", "x", "2")
	eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
	stop()
	insert(t, db, "a.events", "x", "3")
	eventually(t, "the second relay works", func() bool { return depth(t, db) == 0 })
	var got []string
	for _, r := range b.log(t, "a.events") {
		got = append(got, string(r.Value))
	}
	if diff := cmp.Diff([]string{"1", "2", "3"}, got); diff != "" {
		t.Error("published (-want +got):\n" + diff)
	}
}

func TestInsertOfAFailedTransactionLeavesNothing(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if err := insertIn(t.Context(), tx, "a.events", "x", "1"); err != nil {
				return err
			}
			return context.Canceled
		})
		if err == nil || depth(t, db) != 0 {
			t.Errorf("error %v, depth %d", err, depth(t, db))
		}
	})
}
