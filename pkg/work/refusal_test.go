package work_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

func TestRefusedMessagesAndTheirFollowersAreSetAsideAndTheRestCommits(t *testing.T) {
	const half = 500
	var messages []work.Message[input]
	for i := range half {
		messages = append(messages,
			consumed(fmt.Sprintf("bad-%d", i), reject{fmt.Sprintf("bad-%d", i)}),
			consumed(fmt.Sprintf("good-%d", i), add{fmt.Sprintf("good-%d", i), 1}))
	}
	messages = append(messages, consumed("follower", add{"bad-0", 1}))

	for _, tc := range []struct {
		name  string
		take  func(t *testing.T, f *fixture, db *sqldb.DB)
		wants int
	}{
		{"naive: the first error ends the batch", func(t *testing.T, f *fixture, db *sqldb.DB) {
			if err := naively(t.Context(), db, f.toy, messages); !errors.Is(err, errRejected) {
				t.Errorf("error %v", err)
			}
		}, 0},
		{"unit", func(t *testing.T, f *fixture, _ *sqldb.DB) {
			refused := f.take(t, messages...)
			if len(refused) != half+1 || !errors.Is(refused[0], errRejected) {
				t.Errorf("%d refused, the first with %v", len(refused), refused[0])
			}
			if !errors.Is(refused[2*half], work.ErrBehind) {
				t.Errorf("the follower: %v", refused[2*half])
			}
			if n := f.count(t, "quadrille.work.batch.size"); n != 1 {
				t.Errorf("%d transactions, want 1", n)
			}
		}, half},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				f := running(t, db)
				tc.take(t, f, db)
				if got := len(totals(t, db)); got != tc.wants {
					t.Errorf("%d tallies, want %d", got, tc.wants)
				}
				if n := f.toy.loads.Load(); n != 1 {
					t.Errorf("loaded %d times, want once", n)
				}
			})
		})
	}
}

func TestOnlyWhatComesAfterARefusedEventWaitsBehindIt(t *testing.T) {
	for _, tc := range []struct {
		name    string
		culprit work.Message[input]
		want    error
		loads   int64
	}{
		{"refused by the domain", consumed("culprit", reject{"a"}), errRejected, 1},
		{"undecodable", faulty("culprit", "a"), errFault, 1},
		{"the id was used for other bytes", withDigest(consumed("first", add{"a", 100}), 9), work.ErrReused, 1},
		{"decide panics", consumed("culprit", spoil{"a", "panic"}), work.ErrPanic, 2},
		{"publish panics", consumed("culprit", spoil{"a", "unpublishable"}), work.ErrPanic, 2},
		{"the event cannot be encoded", consumed("culprit", spoil{"a", "unencodable"}), errAny, 2},
		{"the database refuses the row", consumed("culprit", add{"a", 5000}), errAny, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				f := running(t, db)
				refused := f.take(t,
					consumed("first", add{"a", 1}),
					consumed("other", add{"b", 1}),
					tc.culprit,
					consumed("other-2", add{"b", 2}),
					consumed("behind", add{"a", 10}),
				)
				if len(refused) != 2 || !errors.Is(refused[4], work.ErrBehind) {
					t.Errorf("G3: what comes behind is not set aside: refused %v", refused)
				}
				if refused[2] == nil || !errors.Is(tc.want, errAny) && !errors.Is(refused[2], tc.want) {
					t.Errorf("the culprit: %v, want %v", refused[2], tc.want)
				}
				if diff := cmp.Diff(map[string]int64{"a": 1, "b": 3}, totals(t, db)); diff != "" {
					t.Error("totals (-want +got):\n" + diff)
				}
				byKey := map[string][]int64{}
				for _, e := range published(t, db) {
					byKey[e.Key] = append(byKey[e.Key], e.N)
				}
				if diff := cmp.Diff(map[string][]int64{"a": {1}, "b": {1, 2}}, byKey); diff != "" {
					t.Error("published (-want +got):\n" + diff)
				}
				if n := f.toy.loads.Load(); n != tc.loads {
					t.Errorf("loaded %d times, want %d", n, tc.loads)
				}

				again := f.take(t, consumed("first", add{"a", 1}), consumed("behind", add{"a", 10}), consumed("fresh", add{"a", 100}))
				if len(again) != 1 || !errors.Is(again[2], work.ErrBehind) || totals(t, db)["a"] != 1 {
					t.Errorf("G3: delivered again: refused %v, totals %v", again, totals(t, db))
				}
			})
		})
	}
}

func TestAMessageRefusedAloneLeavesNothingBehind(t *testing.T) {
	for _, how := range []string{"panic", "unpublishable", "unencodable"} {
		t.Run(how, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrateToy(t, db)
				f := newFixture(t, db, newToy(), work.Config{})
				f.OnCommit(func(facts []work.Fact[happened]) { t.Errorf("announced %v", facts) })
				f.start(t)
				if _, err := f.Do(t.Context(), command("c", spoil{"a", how})); err == nil {
					t.Error("no error")
				}
				if got := published(t, db); len(got) != 0 {
					t.Errorf("published %v", got)
				}
				if got := totals(t, db); len(got) != 0 {
					t.Errorf("totals %v", got)
				}
			})
		})
	}
}

var (
	errFault = errors.New("not Avro")
	errAny   = errors.New("any error")
)

func faulty(id, key string) work.Message[input] {
	m := consumed(id, add{key, 0})
	m.Input, m.Fault = nil, errFault
	return m
}

func withDigest(m work.Message[input], digest byte) work.Message[input] {
	m.Digest = [32]byte{digest}
	return m
}

func TestASaveFailureIsPinnedByHalving(t *testing.T) {
	const others = 60
	var messages []work.Message[input]
	for i := range others {
		key := fmt.Sprintf("k%d", i%10)
		messages = append(messages, consumed(fmt.Sprintf("m-%d", i), add{key, 1}))
		if i == 20 {
			messages = append(messages, consumed("light", add{"heavy", 1}), consumed("culprit", add{"heavy", 5000}),
				consumed("behind", add{"heavy", 1}))
		}
	}
	const culprit, behind = 22, 23

	for _, tc := range []struct {
		name string
		take func(t *testing.T, f *fixture, db *sqldb.DB)
		want map[string]int64
	}{
		{"naive: the batch goes as a whole", func(t *testing.T, f *fixture, db *sqldb.DB) {
			if err := naively(t.Context(), db, f.toy, messages); err == nil {
				t.Error("no error")
			}
		}, map[string]int64{}},
		{"unit", func(t *testing.T, f *fixture, db *sqldb.DB) {
			refused := f.take(t, messages...)
			if len(refused) != 2 || refused[culprit] == nil || !errors.Is(refused[behind], work.ErrBehind) {
				t.Errorf("refused %v", refused)
			}
			last := map[string]int64{}
			for _, e := range published(t, db) {
				if e.Version != last[e.Key]+1 {
					t.Errorf("%s: version %d published after %d", e.Key, e.Version, last[e.Key])
				}
				last[e.Key] = e.Version
			}
		}, map[string]int64{
			"k0": 6, "k1": 6, "k2": 6, "k3": 6, "k4": 6, "k5": 6, "k6": 6, "k7": 6, "k8": 6, "k9": 6, "heavy": 1,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				f := running(t, db)
				tc.take(t, f, db)
				if diff := cmp.Diff(tc.want, totals(t, db)); diff != "" {
					t.Error("totals (-want +got):\n" + diff)
				}
			})
		})
	}
}

// TestAQueueStopsAtWhatCannotBeSaved: a queue that is tried in one transaction is halved, and its head stands alone.
func TestAQueueStopsAtWhatCannotBeSaved(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		var retries []work.Retry[input]
		for i, id := range []string{"head", "2", "3", "4"} {
			m := withID(consumed(id, add{"heavy", 1}))
			if i == 0 {
				m = withID(consumed(id, add{"heavy", 5000}))
			}
			f.take(t, m)
			retries = append(retries, work.Retry[input]{Message: m})
		}
		retries[0].Tried = 1
		before := letters(t, db)
		if err := f.Retry(t.Context(), retries); err != nil {
			t.Fatal(err)
		}
		if got := totals(t, db)["heavy"]; got != 0 {
			t.Errorf("G3: what waits behind an event that failed again was handled: the total is %d", got)
		}
		after := letters(t, db)
		if len(after) != len(retries) || !slices.Equal(before[1:], after[1:]) {
			t.Errorf("letters were %q, are %q", before, after)
		}
	})
}
