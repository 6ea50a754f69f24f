package sqldb_test

import (
	"context"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestHoldHasOneHolderUntilItIsReleased(t *testing.T) {
	address := sqltest.PostgresURL(t)
	first, second := sqltest.Open(t, address), sqltest.Open(t, address)
	_, release := mustHold(t, first, "relay", true)
	mustHold(t, second, "relay", false)
	_, releaseOther := mustHold(t, second, "other", true)
	releaseOther()
	release()
	_, release = mustHold(t, second, "relay", true)
	release()
}

func TestHoldEndsWhenItsConnectionIsLost(t *testing.T) {
	db := sqltest.Postgres(t)
	held, release := mustHold(t, db, "relay", true)
	defer release()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	<-held.Done()
}

func TestHoldIsAlwaysFreeOnSQLite(t *testing.T) {
	held, release := mustHold(t, sqltest.SQLite(t), "relay", true)
	release()
	<-held.Done()
}

// mustHold tries to take the lock, and fails the test unless it was free as expected.
func mustHold(t *testing.T, db *sqldb.DB, name string, free bool) (context.Context, func()) {
	t.Helper()
	held, release, err := db.Hold(t.Context(), name)
	if err != nil || (held != nil) != free {
		t.Fatalf("lock %s: held %v, error %v, want free %v", name, held != nil, err, free)
	}
	return held, release
}
