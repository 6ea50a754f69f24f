package work_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// These hazards exist on PostgreSQL only: on SQLite the writer is alone from BEGIN to COMMIT.

// detail is an aggregate's version beside one of its entries.
type detail struct {
	Version int64 `db:"version"`
	Entry   int64 `db:"entry"`
}

// TestAnAggregateReadBehindALockIsWhole lets a reader wait for the lock of a writer that adds an entry. A statement
// that locks and joins takes its snapshot before it waits: it returns the aggregate's new version with the old entries.
func TestAnAggregateReadBehindALockIsWhole(t *testing.T) {
	const joined = `SELECT t.version, e.version AS entry FROM tallies t JOIN entries e ON e.key = t.key
		WHERE t.key = 'a' ORDER BY e.version`
	for _, tc := range []struct {
		name string
		read func(ctx context.Context, tx *sqldb.Tx) ([]detail, error)
		want []detail
	}{
		{"naive: one statement locks and joins", func(ctx context.Context, tx *sqldb.Tx) ([]detail, error) {
			return sqldb.Select[detail](ctx, tx, joined+" FOR UPDATE OF t")
		}, []detail{{Version: 2, Entry: 1}}},
		{"lock first, read in a later statement", func(ctx context.Context, tx *sqldb.Tx) ([]detail, error) {
			if err := tx.Lock(ctx, `SELECT 1 FROM tallies WHERE key = 'a'`); err != nil {
				return nil, err
			}
			return sqldb.Select[detail](ctx, tx, joined)
		}, []detail{{Version: 2, Entry: 1}, {Version: 2, Entry: 2}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			migrateToy(t, db)
			exec(t, db, `INSERT INTO tallies (key, total, sides, version) VALUES ('a', 1, 0, 1)`)
			exec(t, db, `INSERT INTO entries (key, version, n) VALUES ('a', 1, 1)`)

			type result struct {
				details []detail
				err     error
			}
			read := make(chan result, 1)
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				if _, err := tx.Exec(t.Context(), `UPDATE tallies SET version = 2 WHERE key = 'a'`); err != nil {
					return err
				}
				if _, err := tx.Exec(t.Context(), `INSERT INTO entries (key, version, n) VALUES ('a', 2, 1)`); err != nil {
					return err
				}
				go func() {
					var r result
					r.err = db.Tx(t.Context(), func(tx *sqldb.Tx) (err error) {
						r.details, err = tc.read(t.Context(), tx)
						return err
					})
					read <- r
				}()
				eventually(t, "the reader waits for the lock", func() bool { return waitsForLock(t, db) })
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			got := <-read
			if got.err != nil {
				t.Fatal(got.err)
			}
			if diff := cmp.Diff(tc.want, got.details); diff != "" {
				t.Error("read (-want +got):\n" + diff)
			}
		})
	}
}

func waitsForLock(t testing.TB, db *sqldb.DB) bool {
	t.Helper()
	return selectAll[int64](t, db, `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock'`)[0] > 0
}

// open is done once: it refuses what is there already, as a decision may that knows nothing of copies.
type open struct{ what string }

func (m open) key() string { return m.what }

func (m open) Decide(b book) ([]happened, error) {
	if b[m.what].Version > 0 {
		return nil, errRejected
	}
	return []happened{b[m.what].raise("opened", 0)}, nil
}

// TestWhatAnotherReplicaDidMeanwhileIsNotRefused lets a replica read the inbox, and then another handle the same event
// before the first one loads.
func TestWhatAnotherReplicaDidMeanwhileIsNotRefused(t *testing.T) {
	db := sqltest.Postgres(t)
	first := running(t, db)
	message := consumed("once", open{"a"})
	s := newToy()
	second := newFixture(t, db, s, work.Config{})
	svc := s.service()
	load := svc.Load
	meanwhile := sync.OnceFunc(func() { first.take(t, message) })
	svc.Load = func(ctx context.Context, tx *sqldb.Tx, inputs []input) (book, error) {
		meanwhile()
		return load(ctx, tx, inputs)
	}
	second.unit = work.New(svc, db, work.Config{})
	second.start(t)
	if refused := second.take(t, message); len(refused) != 0 {
		t.Errorf("refused %v", refused)
	}
}

// TestAJoinOfTwoTopicsHappensOnce lets two replicas, each with one side of every join, load before either saves. What
// does not exist yet cannot be locked.
func TestAJoinOfTwoTopicsHappensOnce(t *testing.T) {
	const keys = 20
	for _, tc := range []struct {
		name string
		save func(ctx context.Context, tx *sqldb.Tx, b book) error
		want int
	}{
		{"naive: upsert without the version", func(ctx context.Context, tx *sqldb.Tx, b book) error {
			created, updated := changed(b)
			_, err := tx.With(append(created, updated...)).Exec(ctx, insertTallies+`
				ON CONFLICT (key) DO UPDATE SET sides = tallies.sides | excluded.sides, version = tallies.version + 1`)
			return err
		}, 0},
		{"versioned insert or update", saveVersioned, keys},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			migrateToy(t, db)
			var loaded sync.WaitGroup
			loaded.Add(2)
			replica := func() *fixture {
				s := newToy()
				s.save = tc.save
				s.loaded = func(_ context.Context, attempt int64) error {
					if attempt == 1 {
						loaded.Done()
						loaded.Wait()
					}
					return nil
				}
				f := newFixture(t, db, s, work.Config{})
				f.start(t)
				return f
			}
			var done sync.WaitGroup
			for _, side := range []int64{left, right} {
				f := replica()
				var messages []work.Message[input]
				for i := range keys {
					messages = append(messages, consumed(fmt.Sprintf("%d-%d", side, i), arrive{fmt.Sprintf("k%d", i), side}))
				}
				done.Go(func() {
					if refused, err := f.Take(t.Context(), messages); err != nil || len(refused) != 0 {
						t.Errorf("refused %v, error %v", refused, err)
					}
				})
			}
			done.Wait()
			if got := len(published(t, db)); got != tc.want {
				t.Errorf("G6: %d joins, want %d", got, tc.want)
			}
			for _, row := range selectAll[int64](t, db, `SELECT sides FROM tallies`) {
				if row != both {
					t.Errorf("sides %d, want both", row)
				}
			}
		})
	}
}

// TestAConflictRunsTheWholeBatchAgain lets another transaction come between load and save.
func TestAConflictRunsTheWholeBatchAgain(t *testing.T) {
	overwrite := func(ctx context.Context, tx *sqldb.Tx, b book) error {
		created, updated := changed(b)
		_, err := tx.With(append(created, updated...)).Exec(ctx, insertTallies+`
			ON CONFLICT (key) DO UPDATE SET total = excluded.total, version = excluded.version`)
		return err
	}
	const (
		insert = `INSERT INTO tallies (key, total, sides, version) VALUES ('a', 10, 0, 1)`
		update = `UPDATE tallies SET total = total + 10, version = version + 1 WHERE key = 'a'`
	)
	for _, tc := range []struct {
		name      string
		save      func(ctx context.Context, tx *sqldb.Tx, b book) error
		before    string
		between   string
		want      int64 // of a, after 10 by the other transaction, 1 and 2 by this one
		conflicts int64
	}{
		{"naive: the last writer wins over a new row", overwrite, "", insert, 3, 0},
		{"naive: the last writer wins over a changed row", overwrite, insert, update, 13, 0},
		{"a row that did not exist", saveVersioned, "", insert, 13, 1},
		{"a row that changed", saveVersioned, insert, update, 23, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			migrateToy(t, db)
			if tc.before != "" {
				exec(t, db, tc.before)
			}
			s := newToy()
			s.lock, s.save = false, tc.save
			s.loaded = func(_ context.Context, attempt int64) error {
				if attempt == 1 {
					exec(t, db, tc.between)
				}
				return nil
			}
			f := newFixture(t, db, s, work.Config{})
			f.start(t)
			if refused := f.take(t,
				consumed("1", add{"a", 1}), consumed("b", add{"b", 5}), consumed("2", add{"a", 2})); len(refused) != 0 {
				t.Errorf("refused %v", refused)
			}
			if diff := cmp.Diff(map[string]int64{"a": tc.want, "b": 5}, totals(t, db)); diff != "" {
				t.Error("totals (-want +got):\n" + diff)
			}
			if got := len(published(t, db)); got != 3 {
				t.Errorf("G2: %d events published, want 3", got)
			}
			if n := f.count(t, "quadrille.work.conflicts"); n != tc.conflicts || s.loads.Load() != 1+tc.conflicts {
				t.Errorf("%d conflicts, loaded %d times; want %d, %d", n, s.loads.Load(), tc.conflicts, 1+tc.conflicts)
			}
		})
	}
}

// TestTwoReplicasThatConsumeTheSameEventsDoThemOnce is what a zombie of a rebalance does.
func TestTwoReplicasThatConsumeTheSameEventsDoThemOnce(t *testing.T) {
	messages := []work.Message[input]{consumed("1", add{"a", 1}), consumed("2", add{"b", 2}), consumed("3", add{"a", 4})}
	for _, tc := range []struct {
		name string
		mark func(work.Message[input]) work.Message[input]
		want map[string]int64
	}{
		{"naive: no inbox", func(m work.Message[input]) work.Message[input] { m.Unlogged = true; return m },
			map[string]int64{"a": 10, "b": 4}},
		{"inbox", func(m work.Message[input]) work.Message[input] { return m }, map[string]int64{"a": 5, "b": 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			db := sqltest.Postgres(t)
			migrateToy(t, db)
			var loaded sync.WaitGroup
			loaded.Add(2)
			var done sync.WaitGroup
			for range 2 {
				s := newToy()
				s.loaded = func(_ context.Context, attempt int64) error {
					if attempt == 1 {
						loaded.Done()
						loaded.Wait()
					}
					return nil
				}
				f := newFixture(t, db, s, work.Config{})
				f.start(t)
				done.Go(func() {
					var marked []work.Message[input]
					for _, m := range messages {
						marked = append(marked, tc.mark(m))
					}
					if refused, err := f.Take(t.Context(), marked); err != nil || len(refused) != 0 {
						t.Errorf("refused %v, error %v", refused, err)
					}
				})
			}
			done.Wait()
			if diff := cmp.Diff(tc.want, totals(t, db)); diff != "" {
				t.Error("totals (-want +got):\n" + diff)
			}
		})
	}
}
