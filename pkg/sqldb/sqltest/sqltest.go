// Package sqltest gives tests databases of their own: a SQLite file, and a database on a throwaway PostgreSQL.
//
// One PostgreSQL server a test process is started from the installed binaries when first needed, and ends with the
// process. QUADRILLE_TEST_POSTGRES_URL names a running server instead; its user must be allowed to create databases.
// Without either a test is skipped, or fails where CI=true.
package sqltest

import (
	"path/filepath"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Each runs fn as a subtest on an empty SQLite database and one on an empty PostgreSQL database.
func Each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	EachURL(t, func(t *testing.T, url string) { fn(t, Open(t, url)) })
}

// EachURL is [Each] for a test that opens the database itself, perhaps more than once.
func EachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, PostgresURL(t)) })
}

// SQLite opens an empty SQLite database, closed when the test ends.
func SQLite(tb testing.TB, options ...sqldb.Option) *sqldb.DB {
	tb.Helper()
	return Open(tb, SQLiteURL(tb), options...)
}

// SQLiteURL is the url of a SQLite database that does not exist yet, removed when the test ends.
func SQLiteURL(tb testing.TB) string {
	tb.Helper()
	return "sqlite://" + filepath.ToSlash(filepath.Join(tb.TempDir(), "test.db"))
}

// Postgres opens an empty PostgreSQL database, closed and dropped when the test ends.
func Postgres(tb testing.TB, options ...sqldb.Option) *sqldb.DB {
	tb.Helper()
	return Open(tb, PostgresURL(tb), options...)
}

// Open opens the database at url, closed when the test ends.
func Open(tb testing.TB, url string, options ...sqldb.Option) *sqldb.DB {
	tb.Helper()
	db, err := sqldb.Open(tb.Context(), url, options...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}
