package work_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// An event waits out an outage, however long; the command that shares its batch is answered in time and not done.
func TestACommandDoesNotWaitOutAnOutageWithAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		url := sqltest.SQLiteURL(t)
		db := sqltest.Open(t, url, sqldb.WithoutFileLock())
		migrateToy(t, db)
		f := newFixture(t, db, newToy(), work.Config{})
		other := sqltest.Open(t, url, sqldb.WithoutFileLock())
		away, back := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(back)
			err := other.Tx(context.Background(), func(*sqldb.Tx) error {
				close(away)
				<-time.After(time.Hour)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}()
		<-away

		taken := make(chan error, 1)
		go func() {
			refusals, err := f.Take(context.Background(), []work.Message[input]{consumed("1", add{"a", 1})})
			if len(refusals) > 0 {
				err = refusals[0].Err
			}
			taken <- err
		}()
		done := make(chan error, 1)
		began := time.Now()
		go func() {
			_, err := f.Do(context.Background(), command("2", add{"b", 1}))
			done <- err
		}()
		synctest.Wait() // both wait in the queue, so that they share a batch
		stop := f.start(t)
		defer stop()

		if err := <-done; !errors.Is(err, work.ErrBusy) {
			t.Errorf("the command: %v, want ErrBusy", err)
		}
		if waited := time.Since(began); waited > 10*time.Second {
			t.Errorf("the command was answered after %s", waited)
		}
		<-back
		if err := <-taken; err != nil {
			t.Errorf("the event: %v", err)
		}
		if diff := cmp.Diff(map[string]int64{"a": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}

// TestACommandDoesNotWaitForTheOtherHalf: the batch was halved, and what is in the half before the command's takes long.
func TestACommandDoesNotWaitForTheOtherHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.Open(t, sqltest.SQLiteURL(t), sqldb.WithoutFileLock())
		migrateToy(t, db)
		s := newToy()
		save := s.save
		s.save = func(ctx context.Context, tx *sqldb.Tx, b book) error {
			if b["slow"] == nil {
				return save(ctx, tx, b)
			}
			if len(b) == 1 {
				time.Sleep(15 * time.Second)
			}
			return context.DeadlineExceeded
		}
		f := newFixture(t, db, s, work.Config{})
		taken := make(chan error, 1)
		go func() {
			_, err := f.Take(context.Background(), []work.Message[input]{consumed("1", add{"slow", 1})})
			taken <- err
		}()
		synctest.Wait()
		type answer struct {
			err    error
			waited time.Duration
		}
		answers := make(chan answer, 1)
		go func() {
			began := time.Now()
			_, err := f.Do(context.Background(), command("2", add{"b", 1}))
			answers <- answer{err, time.Since(began)}
		}()
		synctest.Wait()
		stop := f.start(t)
		defer stop()
		// It is let go between two attempts.
		if a := <-answers; !errors.Is(a.err, work.ErrBusy) || a.waited > 20*time.Second {
			t.Errorf("the command was answered %v after %s", a.err, a.waited)
		}
		if err := <-taken; err != nil {
			t.Errorf("the event: %v", err)
		}
	})
}

// A database that answers reads but takes no writes, such as one whose disk is full, is away: no message is at fault.
func TestADatabaseThatOnlyReadsIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrateToy(t, db)
		exec(t, db, `CREATE TABLE disk (full_until TIMESTAMP)`)
		// A trigger stands for the disk: whatever is inserted into the inbox fails while a row is there.
		exec(t, db, `CREATE TRIGGER disk_full BEFORE INSERT ON inbox WHEN EXISTS (SELECT 1 FROM disk)
			BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
		s := newToy()
		s.save = func(ctx context.Context, tx *sqldb.Tx, b book) error {
			full, err := sqldb.Select[int64](ctx, tx, `SELECT count(*) FROM disk`)
			if err == nil && full[0] > 0 {
				return context.DeadlineExceeded // infrastructure to the unit of work
			}
			return errors.Join(err, saveVersioned(ctx, tx, b))
		}
		f := newFixture(t, db, s, work.Config{})
		stop := f.start(t)
		defer stop()
		exec(t, db, `INSERT INTO disk (full_until) VALUES (NULL)`)
		go func() {
			<-time.After(time.Hour)
			exec(t, db, `DELETE FROM disk`)
		}()
		began := time.Now()
		if refused := f.take(t, consumed("1", add{"a", 1}), consumed("2", add{"b", 1})); len(refused) > 0 {
			t.Errorf("refused %v after %s", refused, time.Since(began))
		}
		if diff := cmp.Diff(map[string]int64{"a": 1, "b": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}

// What Save panics at is found like anything else that cannot be saved.
func TestASaveThatPanicsIsPinned(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		s := newToy()
		s.save = func(ctx context.Context, tx *sqldb.Tx, b book) error {
			if b["cursed"] != nil {
				panic("cursed")
			}
			return saveVersioned(ctx, tx, b)
		}
		f := newFixture(t, db, s, work.Config{})
		stop := f.start(t)
		defer stop()
		refused := f.take(t, consumed("1", add{"a", 1}), consumed("2", add{"cursed", 1}), consumed("3", add{"b", 1}))
		if len(refused) != 1 || !errors.Is(refused[1], work.ErrPanic) {
			t.Errorf("refused %v", refused)
		}
		if diff := cmp.Diff(map[string]int64{"a": 1, "b": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}
