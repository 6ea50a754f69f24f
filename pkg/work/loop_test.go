package work_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

func TestDoIsRefusedWhenTheQueueIsFull(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		f := newFixture(t, db, newToy(), work.Config{MaxWaiting: 1})
		first := make(chan error, 1)
		go func() {
			_, err := f.Do(t.Context(), command("1", add{"a", 1}))
			first <- err
		}()
		eventually(t, "the first command waits", func() bool { return f.Waiting() == 1 })
		if _, err := f.Do(t.Context(), command("2", add{"b", 1})); !errors.Is(err, work.ErrBusy) {
			t.Errorf("error %v, want ErrBusy", err)
		}
		f.start(t)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(map[string]int64{"a": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}

// TestDoThatIsNotTakenIsNotDone gives up on a command before its transaction begins: it must not be done later.
func TestDoThatIsNotTakenIsNotDone(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(f *fixture) error
		want error
	}{
		{"not in time", func(f *fixture) error {
			_, err := f.Do(context.Background(), command("1", add{"a", 1}))
			return err
		}, work.ErrBusy},
		{"its caller is gone", func(f *fixture) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_, err := f.Do(ctx, command("1", add{"a", 1}))
			return err
		}, work.ErrStopped},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := sqltest.SQLite(t)
				migrateToy(t, db)
				f := newFixture(t, db, newToy(), work.Config{})
				if err := tc.do(f); !errors.Is(err, tc.want) {
					t.Errorf("error %v, want %v", err, tc.want)
				}
				stop := f.start(t)
				defer stop()
				if _, err := f.Do(t.Context(), command("2", add{"b", 1})); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(map[string]int64{"b": 1}, totals(t, db)); diff != "" {
					t.Error("totals (-want +got):\n" + diff)
				}
			})
		})
	}
}

// TestDoThatHasBegunEndsWithItsAttempt lets the first attempt take longer than a command waits.
func TestDoThatHasBegunEndsWithItsAttempt(t *testing.T) {
	for _, tc := range []struct {
		name    string
		attempt error
		want    error
		totals  map[string]int64
	}{
		{"which succeeds", nil, nil, map[string]int64{"a": 1}},
		{"which fails: it is not tried again", driver.ErrBadConn, work.ErrBusy, map[string]int64{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := sqltest.SQLite(t)
				migrateToy(t, db)
				s := newToy()
				s.loaded = func(_ context.Context, attempt int64) error {
					if attempt > 1 {
						return nil
					}
					<-time.After(6 * time.Second) // Do waits 5 s
					return tc.attempt
				}
				f := newFixture(t, db, s, work.Config{})
				stop := f.start(t)
				defer stop()
				if _, err := f.Do(t.Context(), command("1", add{"a", 1})); !errors.Is(err, tc.want) {
					t.Errorf("error %v, want %v", err, tc.want)
				}
				if n := s.loads.Load(); n != 1 {
					t.Errorf("%d attempts, want 1", n)
				}
				if diff := cmp.Diff(tc.totals, totals(t, db)); diff != "" {
					t.Error("totals (-want +got):\n" + diff)
				}
			})
		})
	}
}

func TestConcurrentCommandsShareATransaction(t *testing.T) {
	const commands = 64
	for _, tc := range []struct {
		name     string
		maxBatch int
		want     int64
	}{
		{"naive: one transaction a command", 1, 1 + commands},
		{"group commit", 0, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrateToy(t, db)
				s := newToy()
				allWait := make(chan struct{})
				s.loaded = func(context.Context, int64) error { <-allWait; return nil }
				f := newFixture(t, db, s, work.Config{MaxBatch: tc.maxBatch, TakeWithin: patience})
				f.start(t)
				done := make(chan error, 1+commands)
				do := func(id string) {
					_, err := f.Do(t.Context(), command(id, add{id, 1}))
					done <- err
				}
				go do("first")
				eventually(t, "the first is taken", func() bool { return s.loads.Load() == 1 })
				for i := range commands {
					go do(fmt.Sprint(i))
				}
				eventually(t, "the others wait", func() bool { return f.Waiting() == commands })
				close(allWait)
				for range 1 + commands {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				if n := f.count(t, "quadrille.work.batch.size"); n != tc.want {
					t.Errorf("%d transactions, want %d", n, tc.want)
				}
				if n := len(totals(t, db)); n != 1+commands {
					t.Errorf("%d tallies, want %d", n, 1+commands)
				}
			})
		})
	}
}

// TestStop finishes what was taken and gives back what waits.
func TestStop(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		s := newToy()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.loaded = func(context.Context, int64) error { <-ctx.Done(); return nil }
		f := newFixture(t, db, s, work.Config{MaxBatch: 1})
		stopped := make(chan error, 1)
		go func() { stopped <- f.Run(ctx) }()

		taken := make(chan error, 1)
		go func() {
			_, err := f.Do(t.Context(), command("taken", add{"taken", 1}))
			taken <- err
		}()
		eventually(t, "the first is taken", func() bool { return s.loads.Load() == 1 })
		waiting := make(chan error, 2)
		go func() {
			_, err := f.Do(t.Context(), command("do", add{"do", 1}))
			waiting <- err
		}()
		go func() {
			_, err := f.Take(t.Context(), []work.Message[input]{consumed("take", add{"take", 1})})
			waiting <- err
		}()
		eventually(t, "two more wait", func() bool { return f.Waiting() == 2 })
		cancel()
		for range 2 {
			if err := <-waiting; !errors.Is(err, work.ErrStopped) {
				t.Errorf("what waited: %v, want ErrStopped", err)
			}
		}
		// The transaction under way may have been ended by the stop or have been quicker: its caller is told which.
		want := map[string]int64{}
		if err := <-taken; err == nil {
			want["taken"] = 1
		} else if !errors.Is(err, work.ErrStopped) {
			t.Errorf("what was taken: %v", err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
		if _, err := f.Do(t.Context(), command("late", add{"late", 1})); !errors.Is(err, work.ErrStopped) {
			t.Errorf("after the stop: %v", err)
		}
	})
}

// TestTakeGivesBackWhatItsCallerNoLongerOwns is a rebalance while the database is away.
func TestTakeGivesBackWhatItsCallerNoLongerOwns(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		s := newToy()
		owned, cancel := context.WithCancel(t.Context())
		s.loaded = func(_ context.Context, attempt int64) error {
			if attempt == 1 {
				cancel()
				return driver.ErrBadConn
			}
			return nil
		}
		f := newFixture(t, db, s, work.Config{})
		f.start(t)
		if _, err := f.Take(owned, []work.Message[input]{consumed("1", add{"a", 1})}); !errors.Is(err, work.ErrStopped) {
			t.Errorf("error %v, want ErrStopped", err)
		}
		f.take(t, consumed("2", add{"b", 1}))
		if diff := cmp.Diff(map[string]int64{"b": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}
