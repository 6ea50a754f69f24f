package sqldb_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestAFaultFailsItsStatementAndTheTransaction(t *testing.T) {
	sqltest.EachURL(t, func(t *testing.T, url string) {
		struck := errors.New("struck")
		db := sqltest.Open(t, url, sqldb.WithFault(func(_ context.Context, query string) error {
			if strings.Contains(query, "strike") {
				return struck
			}
			return nil
		}))
		migrateItems(t, db)
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(t.Context(), "DELETE FROM items -- strike"); !errors.Is(err, struck) {
				t.Errorf("the statement: %v", err)
			}
			if _, err := tx.Query(t.Context(), "SELECT 1"); !errors.Is(err, sqldb.ErrAborted) {
				t.Errorf("the statement after it: %v", err)
			}
			return nil
		})
		if !errors.Is(err, sqldb.ErrAborted) || !errors.Is(err, struck) {
			t.Errorf("the commit: %v", err)
		}
		mustInsert(t, db, item{Key: "a"})
	})
}
