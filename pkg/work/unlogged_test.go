package work_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

func unlogged(m work.Message[input]) work.Message[input] {
	m.Unlogged = true
	return m
}

// TestUnloggedMessages leave no inbox row unless they are refused, are decided each time they come, and hold nothing
// back.
func TestUnloggedMessages(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		refused := f.take(t,
			unlogged(consumed("1", reject{"a"})),
			unlogged(faulty("2", "a")),
			unlogged(consumed("3", spoil{"a", "panic"})),
			unlogged(consumed("4", add{"a", 5000})),
			unlogged(consumed("5", arrive{"a", left})),
			unlogged(consumed("5", arrive{"a", left})),
			unlogged(consumed("6", add{"a", 7})),
		)
		if len(refused) != 4 || refused[0] == nil || refused[1] == nil || refused[2] == nil || refused[3] == nil {
			t.Errorf("refused %v, want the first four", refused)
		}
		f.take(t, unlogged(consumed("6", add{"a", 7})))
		if diff := cmp.Diff(map[string]int64{"a": 14}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
		want := []string{"4 parked save 1", "1 dead refused 1", "2 dead undecodable 1", "3 dead panic 1"}
		got := letters(t, db)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error("letters (-want +got):\n" + diff)
		}
		if n := selectAll[int64](t, db, `SELECT count(*) FROM inbox`)[0]; n != 4 {
			t.Errorf("%d inbox rows, want those of the four letters", n)
		}
	})
}

func TestTakeOfNothing(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		if refused := f.take(t); len(refused) != 0 || f.toy.loads.Load() != 0 {
			t.Errorf("refused %v, loaded %d times", refused, f.toy.loads.Load())
		}
	})
}
