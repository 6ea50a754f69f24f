package work_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// answer is what a caller of Do gets.
type answer struct {
	receipt work.Receipt
	err     error
}

// doTogether hands in commands in their order so that they share the first transaction, then runs the unit.
func doTogether(t testing.TB, f *fixture, messages ...work.Message[input]) []answer {
	t.Helper()
	answers := make([]chan answer, len(messages))
	for i, m := range messages {
		answers[i] = make(chan answer, 1)
		go func() {
			receipt, err := f.Do(t.Context(), m)
			answers[i] <- answer{receipt, err}
		}()
		eventually(t, "the command waits", func() bool { return f.Waiting() == i+1 })
	}
	f.start(t)
	got := make([]answer, len(messages))
	for i := range answers {
		got[i] = <-answers[i]
	}
	return got
}

func TestCopiesOfAnEventInOneBatchCountOnce(t *testing.T) {
	batch := []work.Message[input]{consumed("1", add{"a", 1}), consumed("1", add{"a", 1}), consumed("2", add{"a", 10})}
	for _, tc := range []struct {
		name string
		take func(t *testing.T, f *fixture, db *sqldb.DB)
		want int64
	}{
		{"naive: every copy is decided", func(t *testing.T, f *fixture, db *sqldb.DB) {
			if err := naively(t.Context(), db, f.toy, batch); err != nil {
				t.Error(err)
			}
		}, 12},
		{"unit", func(t *testing.T, f *fixture, _ *sqldb.DB) {
			if refused := f.take(t, batch...); len(refused) != 0 {
				t.Errorf("refused %v", refused)
			}
			if n := f.count(t, "quadrille.work.duplicates"); n != 1 {
				t.Errorf("%d duplicates counted, want 1", n)
			}
		}, 11},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				f := running(t, db)
				tc.take(t, f, db)
				if got := totals(t, db)["a"]; got != tc.want {
					t.Errorf("G2: total %d, want %d", got, tc.want)
				}
			})
		})
	}
}

// TestARedeliveredEventCountsOnce counts what an event does that comes again, in another batch and at another replica.
func TestARedeliveredEventCountsOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		first := running(t, db)
		second := newFixture(t, db, newToy(), work.Config{})
		second.start(t)
		for _, f := range []*fixture{first, first, second} {
			if refused := f.take(t, consumed("1", add{"a", 1})); len(refused) != 0 {
				t.Errorf("refused %v", refused)
			}
		}
		if total, events := totals(t, db)["a"], len(published(t, db)); total != 1 || events != 1 {
			t.Errorf("G2: delivered three times, the total is %d and %d events are published", total, events)
		}
	})
}

func TestEqualIdempotencyKeysShareOneOutcome(t *testing.T) {
	created := func(key string) work.Receipt { return work.Receipt{Key: key, Status: 202} }
	repeated := func(key string) work.Receipt { return work.Receipt{Key: key, Status: 202, Repeated: true} }
	for _, tc := range []struct {
		name      string
		messages  []work.Message[input]
		want      []answer
		wantTotal map[string]int64
	}{
		{
			"the second gets the first one's receipt, whatever id it minted",
			[]work.Message[input]{command("k", add{"a", 1}), command("k", add{"minted-later", 1})},
			[]answer{{receipt: created("a")}, {receipt: repeated("a")}},
			map[string]int64{"a": 1},
		},
		{
			"also when the first is refused",
			[]work.Message[input]{command("k", reject{"a"}), command("k", add{"a", 1}), command("other", add{"b", 1})},
			[]answer{{err: errRejected}, {err: errRejected}, {receipt: created("b")}},
			map[string]int64{"b": 1},
		},
		{
			"with another body it is refused, and the first is done",
			[]work.Message[input]{command("k", add{"a", 1}), withDigest(command("k", add{"a", 1}), 2)},
			[]answer{{receipt: created("a")}, {err: work.ErrReused}},
			map[string]int64{"a": 1},
		},
		{
			"the same key in another scope is another command",
			[]work.Message[input]{command("k", add{"a", 1}), inScope(command("k", add{"a", 1}), "POST /others")},
			[]answer{{receipt: created("a")}, {receipt: created("a")}},
			map[string]int64{"a": 2},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrateToy(t, db)
				f := newFixture(t, db, newToy(), work.Config{})
				for i, got := range doTogether(t, f, tc.messages...) {
					if got.receipt != tc.want[i].receipt || !errors.Is(got.err, tc.want[i].err) {
						t.Errorf("command %d: %+v, want %+v", i, got, tc.want[i])
					}
				}
				if diff := cmp.Diff(tc.wantTotal, totals(t, db)); diff != "" {
					t.Error("totals (-want +got):\n" + diff)
				}
				if n := f.count(t, "quadrille.work.batch.size"); n != 1 {
					t.Errorf("%d transactions, want 1: the test meant one batch", n)
				}
			})
		})
	}
}

func inScope(m work.Message[input], scope string) work.Message[input] {
	m.Scope = scope
	return m
}

func TestAnIdempotencyKeyIsRememberedAfterTheCommit(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		replica := newFixture(t, db, newToy(), work.Config{})
		replica.start(t)
		first := command("k", add{"a", 1})
		first.Status = 201
		if got, err := f.Do(t.Context(), first); err != nil || got != (work.Receipt{Key: "a", Status: 201}) {
			t.Errorf("first: %+v, %v", got, err)
		}
		for name, unit := range map[string]*fixture{"same replica": f, "other replica": replica} {
			got, err := unit.Do(t.Context(), command("k", add{"minted-later", 1}))
			if err != nil || got != (work.Receipt{Key: "a", Status: 201, Repeated: true}) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if _, err := unit.Do(t.Context(), withDigest(command("k", add{"a", 1}), 2)); !errors.Is(err, work.ErrReused) {
				t.Errorf("G2: %s, other body: %v", name, err)
			}
		}
		if diff := cmp.Diff(map[string]int64{"a": 1}, totals(t, db)); diff != "" {
			t.Error("totals (-want +got):\n" + diff)
		}
	})
}

func TestARefusedCommandIsNotRemembered(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		if _, err := f.Do(t.Context(), command("k", reject{"a"})); !errors.Is(err, errRejected) {
			t.Errorf("error %v", err)
		}
		if got, err := f.Do(t.Context(), command("k", add{"a", 1})); err != nil || got.Repeated {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestEventsAreNamedByTheirCause: whoever handles the same message publishes the same ids.
func TestEventsAreNamedByTheirCause(t *testing.T) {
	ids := make(map[string][]string)
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		f := newFixture(t, db, newToy(), work.Config{})
		f.OnCommit(func(facts []work.Fact[happened]) {
			for _, fact := range facts {
				ids[t.Name()] = append(ids[t.Name()], fmt.Sprint(fact.ID, fact.Event.What, fact.Cause))
			}
		})
		stop := f.start(t)
		f.take(t, consumed("1", arrive{"a", left}), consumed("2", arrive{"a", right}))
		stop()
		if got := ids[t.Name()]; len(got) != 3 {
			t.Errorf("announced %v, want two arrivals and the join", got)
		}
	})
	var first []string
	for name, got := range ids {
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Error(name + ": ids differ (-first +this):\n" + diff)
		}
	}
}
