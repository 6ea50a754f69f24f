package work_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Pauses grow to a second each, so these tests run in virtual time.

func TestAConflictThatNeverEndsIsPinned(t *testing.T) {
	pinned(t, func(b book) error {
		if b["cursed"] != nil {
			return work.ErrConflict
		}
		return nil
	}, work.ErrConflict)
}

func TestAnOutageThatFollowsOneMessageIsPinned(t *testing.T) {
	pinned(t, func(b book) error {
		if b["cursed"] != nil {
			return driver.ErrBadConn
		}
		return nil
	}, driver.ErrBadConn)
}

func TestATransactionThatTakesTooLongIsPinned(t *testing.T) {
	pinned(t, func(b book) error {
		if b["cursed"] != nil {
			return context.DeadlineExceeded
		}
		return nil
	}, context.DeadlineExceeded)
}

// pinned expects that whatever fails for the key "cursed" refuses its first message, sets aside the second and leaves
// the rest alone.
func pinned(t *testing.T, fails func(book) error, want error) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrateToy(t, db)
		s := newToy()
		s.save = func(ctx context.Context, tx *sqldb.Tx, b book) error {
			if err := fails(b); err != nil {
				return err
			}
			return saveVersioned(ctx, tx, b)
		}
		f := newFixture(t, db, s, work.Config{})
		stop := f.start(t)
		defer stop()
		refused := f.take(t, consumed("1", add{"cursed", 1}), consumed("2", add{"a", 1}), consumed("3", add{"cursed", 1}))
		if len(refused) != 2 || !errors.Is(refused[0], want) || !errors.Is(refused[2], work.ErrBehind) {
			t.Errorf("refused %v", refused)
		}
		if diff := cmp.Diff(map[string]int64{"a": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}

// TestABatchWaitsForTheDatabaseHoweverLong has the database away for an hour.
func TestABatchWaitsForTheDatabaseHoweverLong(t *testing.T) {
	for _, tc := range []struct {
		name string
		take func(f *fixture, db *sqldb.DB) (refused int, err error)
		want map[string]int64
	}{
		{"naive: gives up after ten attempts", func(f *fixture, db *sqldb.DB) (int, error) {
			var err error
			for range 10 {
				err = naively(context.Background(), db, f.toy, []work.Message[input]{consumed("1", add{"a", 1})})
			}
			return 0, err
		}, map[string]int64{}},
		{"unit", func(f *fixture, _ *sqldb.DB) (int, error) {
			refused, err := f.Take(context.Background(), []work.Message[input]{consumed("1", add{"a", 1})})
			return len(refused), err
		}, map[string]int64{"a": 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				url := sqltest.SQLiteURL(t)
				db := sqltest.Open(t, url, sqldb.WithoutFileLock())
				migrateToy(t, db)
				f := newFixture(t, db, newToy(), work.Config{})
				stop := f.start(t)
				defer stop()

				// A second handle that never lets go of the writer's lock is an outage to the first.
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
				refused, err := tc.take(f, db)
				if failed := refused != 0 || err != nil; failed != (len(tc.want) == 0) {
					t.Errorf("refused %d, error %v", refused, err)
				}
				<-back
				if diff := cmp.Diff(tc.want, totals(t, db)); diff != "" {
					t.Error("totals (-want +got):\n" + diff)
				}
			})
		})
	}
}
