package work_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

var errNoAnswer = errors.New("no answer")

// call is one claim of a toy's outside call.
type call struct {
	To     string
	Number int64
}

type ended = work.Ended[call]

// leases is what a service keeps in its lease table: which calls are due, and which claim is live.
type leases struct {
	mu      sync.Mutex
	due     map[string]int64 // claims so far
	live    map[string]bool
	history []string
	down    int // claims that fail before the database is back
}

func (l *leases) claim(_ context.Context, done []ended, _ time.Time, limit int) ([]call, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down > 0 {
		l.down--
		return nil, sqldb.ErrAborted
	}
	for _, e := range done {
		l.live[e.Call.To] = false
		if e.Err == nil {
			delete(l.due, e.Call.To)
		}
		l.history = append(l.history, fmt.Sprintf("%s/%d ended: %v", e.Call.To, e.Call.Number, e.Err))
	}
	var calls []call
	for to := range l.due {
		if len(calls) < limit && !l.live[to] {
			l.due[to]++
			l.live[to] = true
			calls = append(calls, call{to, l.due[to]})
		}
	}
	return calls, nil
}

func (l *leases) seen() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.history...)
}

func newLeases(to ...string) *leases {
	l := &leases{due: make(map[string]int64), live: make(map[string]bool)}
	for _, name := range to {
		l.due[name] = 0
	}
	return l
}

func answerTo(c call) work.Message[input] {
	m := command(fmt.Sprintf("call/%s/%d", c.To, c.Number), add{c.To, 1})
	m.Scope = work.ScopeCall
	return m
}

// TestACallIsClaimedAgainUntilItsAnswerIsTaken goes through the ways in which a call can fail.
func TestACallIsClaimedAgainUntilItsAnswerIsTaken(t *testing.T) {
	answered := func(_ context.Context, c call) (work.Message[input], error) { return answerTo(c), nil }
	taken := func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil }
	busy := 3
	for _, tc := range []struct {
		name    string
		down    int
		perform func(context.Context, call) (work.Message[input], error)
		do      func(context.Context, work.Message[input]) (work.Receipt, error)
		want    []string
	}{
		{"answered at once", 0, answered, taken, []string{"a/1 ended: <nil>"}},
		{"the claim fails at first", 2, answered, taken, []string{"a/1 ended: <nil>"}},
		{"no answer to the first", 0, func(ctx context.Context, c call) (work.Message[input], error) {
			if c.Number == 1 {
				return work.Message[input]{}, errNoAnswer
			}
			return answered(ctx, c)
		}, taken, []string{"a/1 ended: no answer", "a/2 ended: <nil>"}},
		{"the answer is taken in the end", 0, answered, func(context.Context, work.Message[input]) (work.Receipt, error) {
			if busy--; busy >= 0 {
				return work.Receipt{}, work.ErrBusy
			}
			return work.Receipt{}, nil
		}, []string{"a/1 ended: <nil>"}},
		{"the first answer is never taken", 0, answered, func(_ context.Context, m work.Message[input]) (work.Receipt, error) {
			if m.ID == "call/a/1" {
				return work.Receipt{}, errRejected
			}
			return work.Receipt{}, nil
		}, []string{"a/1 ended: rejected by the domain", "a/2 ended: <nil>"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLeases("a")
				l.down = tc.down
				calls := work.NewCalls(work.CallsConfig[call, input]{
					Claim: l.claim, Perform: tc.perform, Do: tc.do, Lease: 3 * time.Second,
					Logger: slog.New(slog.DiscardHandler),
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := calls.Run(ctx); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(tc.want, l.seen()); diff != "" {
					t.Error("history (-want +got):\n" + diff)
				}
			})
		})
	}
}

// TestWhatEndedIsToldOnceTheDatabaseIsBack lets the claim fail after a call ended: the lease must end all the same.
func TestWhatEndedIsToldOnceTheDatabaseIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases("a")
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim,
			Perform: func(_ context.Context, c call) (work.Message[input], error) {
				l.mu.Lock()
				defer l.mu.Unlock()
				l.down = 5
				return answerTo(c), nil
			},
			Do:     func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil },
			Logger: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"a/1 ended: <nil>"}, l.seen()); diff != "" {
			t.Error("history (-want +got):\n" + diff)
		}
	})
}

func TestCallsRunSideBySideUpToTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all, limit = 10, 3
		l := newLeases()
		for i := range all {
			l.due[fmt.Sprint(i)] = 0
		}
		var mu sync.Mutex
		running, most := 0, 0
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim, Limit: limit, Logger: slog.New(slog.DiscardHandler),
			Perform: func(_ context.Context, c call) (work.Message[input], error) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				<-time.After(time.Second)
				mu.Lock()
				running--
				mu.Unlock()
				return answerTo(c), nil
			},
			Do: func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil },
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		if most != limit || len(l.seen()) != all {
			t.Errorf("at most %d at a time, want %d; %d ended, want %d", most, limit, len(l.seen()), all)
		}
	})
}

// TestACallThatWaitedTooLongIsGivenBack: its lease may be over before its turn comes, and another may claim it.
func TestACallThatWaitedTooLongIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases("a", "b", "c")
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim, Limit: 1, Lease: 3 * time.Second, Logger: slog.New(slog.DiscardHandler),
			Perform: func(_ context.Context, c call) (work.Message[input], error) {
				<-time.After(900 * time.Millisecond)
				return answerTo(c), nil
			},
			Do: func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil },
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		var made, givenBack int
		for _, end := range l.seen() {
			if strings.HasSuffix(end, "<nil>") {
				made++
			} else {
				givenBack++
			}
		}
		if made != 3 || givenBack == 0 {
			t.Errorf("made %d, want 3; given back %d, want some: %q", made, givenBack, l.seen())
		}
	})
}

// TestWakeSparesTheWait: a call that a commit made due starts without waiting for the next look.
func TestWakeSparesTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases("a")
		start := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim, Every: time.Hour, Logger: slog.New(slog.DiscardHandler),
			Perform: func(_ context.Context, c call) (work.Message[input], error) { return answerTo(c), nil },
			Do: func(context.Context, work.Message[input]) (work.Receipt, error) {
				cancel()
				return work.Receipt{}, nil
			},
		})
		calls.Wake()
		calls.Wake() // never blocks
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %s", waited)
		}
	})
}

// TestAStopWaitsForCallsUnderWay: what has begun goes on, its answer is taken, and what only waits for its turn is given
// back.
func TestAStopWaitsForCallsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := newLeases("a", "b")
		made := 0
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim, Limit: 1, Logger: slog.New(slog.DiscardHandler),
			Perform: func(ctx context.Context, c call) (work.Message[input], error) {
				made++
				cancel()
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
				return answerTo(c), ctx.Err()
			},
			Do: func(ctx context.Context, _ work.Message[input]) (work.Receipt, error) {
				return work.Receipt{}, ctx.Err()
			},
		})
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		taken := 0
		for _, end := range l.seen() {
			if strings.HasSuffix(end, "<nil>") {
				taken++
			}
		}
		if made != 1 || taken != 1 || len(l.seen()) != 2 {
			t.Errorf("made %d, want 1; %q, want one taken and the other given back", made, l.seen())
		}
	})
}

// TestAStopWaitsForNoLongerThanTheDrain: a call, or its answer, that does not end by itself ends then.
func TestAStopWaitsForNoLongerThanTheDrain(t *testing.T) {
	never := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, silent := range map[string]struct {
		outside, unit func(context.Context) error
	}{
		"the outside is silent":         {never, nil},
		"the answer waits for its turn": {nil, never},
		"the answer is never taken":     {nil, func(context.Context) error { return work.ErrBusy }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const drain = 7 * time.Second
				ctx, cancel := context.WithCancel(t.Context())
				start := time.Now()
				calls := work.NewCalls(work.CallsConfig[call, input]{
					Claim: newLeases("a").claim, Every: time.Millisecond, Drain: drain,
					Logger: slog.New(slog.DiscardHandler),
					Perform: func(ctx context.Context, c call) (work.Message[input], error) {
						cancel()
						if silent.outside != nil {
							return work.Message[input]{}, silent.outside(ctx)
						}
						return answerTo(c), nil
					},
					Do: func(ctx context.Context, _ work.Message[input]) (work.Receipt, error) {
						return work.Receipt{}, silent.unit(ctx)
					},
				})
				if err := calls.Run(ctx); err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took < drain || took > drain+time.Second {
					t.Errorf("the stop took %s, want %s", took, drain)
				}
			})
		})
	}
}

// TestAnAnswerCountsOnce hands in the answer of one claim from two replicas, as when a lease ran out over a slow call.
func TestAnAnswerCountsOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		replica := newFixture(t, db, newToy(), work.Config{})
		replica.start(t)
		repeated := 0
		for _, unit := range []*fixture{f, replica, f} {
			receipt, err := unit.Do(t.Context(), answerTo(call{"a", 1}))
			if err != nil {
				t.Error(err)
			}
			if receipt.Repeated {
				repeated++
			}
		}
		if total := totals(t, db)["a"]; total != 1 || repeated != 2 {
			t.Errorf("total %d, want 1; %d repeated, want 2", total, repeated)
		}
	})
}
