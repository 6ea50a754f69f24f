package work_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// What a test has refused becomes of an event what Decide's own error would make of it; commands are not asked about.
func TestARefusalBeforeDecideIsThatOfDecide(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		f := newFixture(t, db, newToy(), work.Config{Refuse: func(key string) error {
			return map[string]error{"early": notYet("more"), "bad": errRejected}[key]
		}})
		f.start(t)
		f.take(t, consumed("1", add{"early", 1}), consumed("2", add{"early", 1}), consumed("3", add{"bad", 1}),
			consumed("4", add{"good", 1}))
		if _, err := f.Do(t.Context(), command("5", add{"early", 7})); err != nil {
			t.Error(err)
		}
		want := []string{"1 parked not_yet 1", "2 parked behind 0", "3 dead refused 1"}
		if diff := cmp.Diff(want, letters(t, db)); diff != "" {
			t.Errorf("letters (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int64{"good": 1, "early": 7}, totals(t, db)); diff != "" {
			t.Errorf("totals (-want +got):\n%s", diff)
		}
	})
}
