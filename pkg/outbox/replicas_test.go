package outbox

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// skipLockedRelay claims the oldest rows that nobody else has claimed, as a naive second relay would.
func skipLockedRelay(t *testing.T, db *sqldb.DB, l *lane, claimed func()) {
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		rows, err := sqldb.Select[row](t.Context(), tx, `
			SELECT 0 AS ord, seq, topic, key, headers, value, written_at FROM outbox
			WHERE topic = $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED`, l.topic, l.cfg.BatchRows)
		if err != nil {
			return err
		}
		claimed()
		_, err = l.produce(t.Context(), rows)
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), `DELETE FROM outbox WHERE seq = $1`, rows[0].Seq)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTwoRelaysAtOnceKeepTheOrderOfFirstAppearance lets the second publish between the first one's read and produce.
func TestTwoRelaysAtOnceKeepTheOrderOfFirstAppearance(t *testing.T) {
	for _, tc := range []struct {
		name  string
		relay func(t *testing.T, db *sqldb.DB, l *lane, read func())
		want  []string
	}{
		{"naive: SKIP LOCKED", skipLockedRelay, []string{"2", "1"}},
		{"lanes", func(t *testing.T, db *sqldb.DB, l *lane, read func()) {
			rows, err := l.oldest(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			read()
			if n, err := l.produce(t.Context(), rows); n != len(rows) || err != nil {
				t.Errorf("%d of %d produced, error %v", n, len(rows), err)
			}
			if err := l.remove(t.Context(), rows); err != nil {
				t.Error(err)
			}
		}, []string{"1", "2"}},
		{"rounds", func(t *testing.T, _ *sqldb.DB, l *lane, read func()) {
			client := l.cfg.NewClient // which a lane's first round asks for between reading and producing
			l.cfg.NewClient = func(opts ...kgo.Opt) (*kgo.Client, error) { read(); return client(opts...) }
			if _, err := l.round(t.Context()); err != nil {
				t.Error(err)
			}
		}, []string{"1", "2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			migrate(t, db)
			b := startBroker(t, nil)
			cfg := quick(b)
			cfg.BatchRows = 1
			first, second := lanesOf(db, cfg)[0], lanesOf(db, cfg)[0]
			defer first.renew()
			defer second.renew()
			insert(t, db, "a.events", "x", "1", "2")
			tc.relay(t, db, first, func() { tc.relay(t, db, second, func() {}) })
			for depth(t, db) > 0 {
				tc.relay(t, db, first, func() {})
			}
			if diff := cmp.Diff(tc.want, b.firsts(t, "a.events")["x"]); diff != "" {
				t.Error("G3: first appearances are out of order (-want +got):\n" + diff)
			}
		})
	}
}

// TestARowThatCommitsLateIsNotLost lets a transaction take a seq, and a later one commit and be relayed before it.
func TestARowThatCommitsLateIsNotLost(t *testing.T) {
	for _, tc := range []struct {
		name  string
		relay func(t *testing.T, db *sqldb.DB, l *lane) (round func())
		want  map[string][]string
	}{
		{"naive: a cursor", func(t *testing.T, db *sqldb.DB, l *lane) func() {
			cursor := int64(0)
			return func() {
				rows := selectRows(t, db, `WHERE topic = $1 AND seq > $2 ORDER BY seq`, l.topic, cursor)
				if n, err := l.produce(t.Context(), rows); n != len(rows) || err != nil {
					t.Errorf("%d of %d produced, error %v", n, len(rows), err)
				}
				for _, r := range rows {
					cursor = r.Seq
				}
			}
		}, map[string][]string{"quick": {"1"}}},
		{"lane", func(t *testing.T, _ *sqldb.DB, l *lane) func() {
			return func() {
				if _, err := l.round(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}, map[string][]string{"quick": {"1"}, "late": {"1"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			migrate(t, db)
			b := startBroker(t, nil)
			l := lanesOf(db, quick(b))[0]
			defer l.renew()
			round := tc.relay(t, db, l)
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				if err := insertIn(t.Context(), tx, "a.events", "late", "1"); err != nil {
					return err
				}
				insert(t, db, "a.events", "quick", "1")
				round()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			round()
			if diff := cmp.Diff(tc.want, b.firsts(t, "a.events")); diff != "" {
				t.Error("G1: what was committed is not what was published (-want +got):\n" + diff)
			}
		})
	}
}

func selectRows(t testing.TB, db *sqldb.DB, where string, args ...any) (rows []row) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
		rows, err = sqldb.Select[row](t.Context(), tx,
			`SELECT 0 AS ord, seq, topic, key, headers, value, written_at FROM outbox `+where, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestManyRelaysWithoutTheLockLoseNothing runs lanes side by side while writers commit, each its own key.
func TestManyRelaysWithoutTheLockLoseNothing(t *testing.T) {
	const writers, each = 4, 40
	db := sqltest.Postgres(t)
	migrate(t, db)
	b := startBroker(t, nil)
	cfg := quick(b)
	cfg.BatchRows = 5
	ctx, cancel := context.WithCancel(t.Context())
	var relays, writing sync.WaitGroup
	for range 3 {
		relays.Go(func() { lanesOf(db, cfg)[0].run(ctx) })
	}
	want := make(map[string][]string)
	for w := range writers {
		key := fmt.Sprintf("k%d", w)
		want[key] = numbers(1, each)
		writing.Go(func() {
			for _, value := range numbers(1, each) {
				insert(t, db, "a.events", key, value)
			}
		})
	}
	writing.Wait()
	eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 })
	cancel()
	relays.Wait()
	if diff := cmp.Diff(want, b.firsts(t, "a.events")); diff != "" {
		t.Error("published (-want +got):\n" + diff)
	}
}
