package sqldb_test

import (
	"context"
	"errors"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestAnOutageStrikesAtEachStep(t *testing.T) {
	tests := map[sqldb.Step]struct {
		name      string
		committed bool
	}{
		sqldb.StepBegin:     {name: "begin"},
		sqldb.StepStatement: {name: "statement"},
		sqldb.StepCommit:    {name: "commit"},
		sqldb.StepCommitted: {name: "committed", committed: true},
	}
	struck := errors.New("out of reach")
	for at, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sqltest.EachURL(t, func(t *testing.T, url string) {
				strikes := false
				db := sqltest.Open(t, url, sqldb.WithOutage(func(_ context.Context, step sqldb.Step, writes bool) error {
					if strikes && writes && step == at {
						return struck
					}
					return nil
				}))
				migrateItems(t, db)
				strikes = true
				err := insertItems(t.Context(), db, item{Key: "a"})
				if !errors.Is(err, struck) || !sqldb.IsUnavailable(err) {
					t.Errorf("the transaction: %v", err)
				}
				strikes = false
				var n int
				err = db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
					n, err = sqldb.Get[int](t.Context(), tx, `SELECT count(*) AS n FROM items`)
					return err
				})
				if err != nil || (n == 1) != tt.committed {
					t.Errorf("%d rows (%v), committed: %v", n, err, tt.committed)
				}
				mustInsert(t, db, item{Key: "b"}) // it goes on
			})
		})
	}
}
