package sqldb_test

import (
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

var notesMigration = fstest.MapFS{"00002_notes.sql": {Data: []byte("-- +goose Up\nCREATE TABLE notes (id BIGINT);\n")}}

func TestMigrateAppliesEachMigrationOnceAndPendingNamesTheRest(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		both := maps.Clone(itemsMigration)
		maps.Copy(both, notesMigration)
		pending := func(want ...string) {
			t.Helper()
			got, err := sqldb.Pending(t.Context(), db, both, "items")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("pending (-want +got):\n" + diff)
			}
		}
		pending("00001_items.sql", "00002_notes.sql")
		migrateItems(t, db)
		mustInsert(t, db, item{Key: "a"})
		pending("00002_notes.sql")
		for range 2 {
			if err := sqldb.Migrate(t.Context(), db, both, "items"); err != nil {
				t.Fatal(err)
			}
			pending()
		}
		if got := selectItems(t, db); len(got) != 1 {
			t.Errorf("%d rows, want the one from before", len(got))
		}
	})
}

func TestSetsOfMigrationsShareADatabase(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateItems(t, db)
		other := fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (id BIGINT);\n")}}
		if err := sqldb.Migrate(t.Context(), db, other, "other"); err != nil {
			t.Fatal(err)
		}
		if got, err := sqldb.Pending(t.Context(), db, itemsMigration, "items"); err != nil || len(got) != 0 {
			t.Errorf("pending %v, error %v", got, err)
		}
		for _, name := range []string{"", "Other", `x"; DROP TABLE items; --`} {
			if err := sqldb.Migrate(t.Context(), db, other, name); err == nil {
				t.Errorf("name %q: no error", name)
			}
		}
	})
}

func TestFailedMigrationLeavesNothingBehind(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		broken := fstest.MapFS{"00001_broken.sql": {Data: []byte(
			"-- +goose Up\nCREATE TABLE half (id BIGINT);\nCREATE TABLE half (id BIGINT);\n")}}
		if err := sqldb.Migrate(t.Context(), db, broken, "items"); err == nil || sqldb.IsUnavailable(err) {
			t.Errorf("error %v", err)
		}
		err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
			_, err := sqldb.Select[int64](t.Context(), tx, `SELECT id FROM half`)
			return err
		})
		if err == nil {
			t.Error("half of the migration was kept")
		}
	})
}

func TestReplicasMayMigrateAtOnce(t *testing.T) {
	address := sqltest.PostgresURL(t)
	const replicas = 3
	errs := make([]error, replicas)
	var group sync.WaitGroup
	for i := range replicas {
		db := sqltest.Open(t, address, sqldb.WithConnections(1))
		group.Go(func() { errs[i] = sqldb.Migrate(t.Context(), db, itemsMigration, "items") })
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	mustInsert(t, sqltest.Open(t, address), item{Key: "a"})
}

func TestRevertTakesBackAllOfOneSet(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		set := fstest.MapFS{
			"00001_a.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (id BIGINT);\n-- +goose Down\nDROP TABLE a;\n")},
			"00002_b.sql": {Data: []byte("-- +goose Up\nCREATE TABLE b (id BIGINT);\n-- +goose Down\nDROP TABLE b;\n")},
		}
		migrateItems(t, db)
		for range 2 { // and there again
			if err := sqldb.Migrate(t.Context(), db, set, "set"); err != nil {
				t.Fatal(err)
			}
			if err := sqldb.Revert(t.Context(), db, set, "set"); err != nil {
				t.Fatal(err)
			}
		}
		if pending, err := sqldb.Pending(t.Context(), db, set, "set"); err != nil || len(pending) != 2 {
			t.Errorf("pending %v, error %v", pending, err)
		}
		mustInsert(t, db, item{Key: "another set's"})
	})
}
