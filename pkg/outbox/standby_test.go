package outbox

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// TestALockHeldElsewhereIsReportedOnceRowsGetOld, as long as it is held.
func TestALockHeldElsewhereIsReportedOnceRowsGetOld(t *testing.T) {
	db := sqltest.Postgres(t)
	migrate(t, db)
	held, release, err := db.Hold(t.Context(), "quadrille.outbox")
	if err != nil || held == nil {
		t.Fatalf("the lock is not free: error %v", err)
	}
	insertAt(t, db, time.Now().Add(-time.Minute), "1")
	relay := NewRelay(db, quick(startBroker(t, nil)))
	start(t, relay)
	eventually(t, "it is reported", func() bool { return errors.Is(relay.Err(), ErrStale) })
	release()
	eventually(t, "the outbox is empty", func() bool { return depth(t, db) == 0 && relay.Err() == nil })
}

func TestStandbyLooksAtTheOldestRowNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrate(t, db)
		standby := &NewRelay(db, Config{}).standby
		want := func(stale bool, when string) {
			t.Helper()
			standby.watch(t.Context())
			if err := standby.stale(); errors.Is(err, ErrStale) != stale {
				t.Errorf("%s: %v", when, err)
			}
		}
		want(false, "an empty table")
		insert(t, db, "a.events", "x", "1")
		<-time.After(30 * time.Second)
		want(false, "a row just young enough")
		<-time.After(standbyLook - time.Second)
		want(false, "too old a row, before the next look is due")
		<-time.After(time.Second)
		want(true, "too old a row")
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM outbox`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want(true, "the row is gone, before the next look is due")
		<-time.After(standbyLook)
		want(false, "the row is gone")
	})
}
