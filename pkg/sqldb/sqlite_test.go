package sqldb_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestSQLiteKeepsAcknowledgedCommits(t *testing.T) {
	db := sqltest.SQLite(t)
	pragmas := func(run func(fn func(*sqldb.Tx) error) error) map[string]string {
		got := map[string]string{}
		err := run(func(tx *sqldb.Tx) error {
			for _, name := range []string{"journal_mode", "synchronous", "foreign_keys", "busy_timeout"} {
				value, err := sqldb.Get[string](t.Context(), tx, `PRAGMA `+name)
				if err != nil {
					return err
				}
				got[name] = value
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "0"}
	write := pragmas(func(fn func(*sqldb.Tx) error) error { return db.Tx(t.Context(), fn) })
	if diff := cmp.Diff(want, write); diff != "" {
		t.Error("writer (-want +got):\n" + diff)
	}
	read := pragmas(func(fn func(*sqldb.Tx) error) error { return db.Read(t.Context(), fn) })
	if diff := cmp.Diff(want, read); diff != "" {
		t.Error("reader (-want +got):\n" + diff)
	}
}

func TestSecondWriterOnASQLiteFileIsBusyAtOnceInVirtualTime(t *testing.T) {
	address := sqltest.SQLiteURL(t)
	wall := time.Now()
	synctest.Test(t, func(t *testing.T) {
		first := sqltest.Open(t, address, sqldb.WithoutFileLock())
		second := sqltest.Open(t, address, sqldb.WithoutFileLock())
		migrateItems(t, first)
		begun := time.Now()
		err := first.Tx(t.Context(), func(*sqldb.Tx) error {
			err := insertItems(t.Context(), second, item{Key: "a"})
			if !sqldb.IsUnavailable(err) || sqldb.IsDuplicate(err) {
				t.Errorf("the second writer: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("waited %v of virtual time", waited)
		}

		// With backoff in Go both get through.
		const rounds = 50
		var busy atomic.Int32
		var group sync.WaitGroup
		for name, db := range map[string]*sqldb.DB{"first": first, "second": second} {
			group.Go(func() {
				for i := range rounds {
					for {
						err := insertItems(t.Context(), db, item{Key: fmt.Sprint(name, i)})
						if err == nil {
							break
						}
						if !sqldb.IsUnavailable(err) {
							t.Error(err)
							return
						}
						busy.Add(1)
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		group.Wait()
		if got := len(selectItems(t, second)); got != 2*rounds {
			t.Errorf("%d rows, want %d", got, 2*rounds)
		}
		t.Logf("busy %d times", busy.Load())
	})
	if took := time.Since(wall); took > 2*time.Minute {
		t.Errorf("took %v of real time: the virtual clock froze", took)
	}
}
