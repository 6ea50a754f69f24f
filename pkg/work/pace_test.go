package work_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/work"
)

// warnings counts the lines that are logged and the calls that they tell of.
type warnings struct {
	slog.Handler
	mu    sync.Mutex
	lines int
	calls int64
}

func (w *warnings) Enabled(context.Context, slog.Level) bool { return true }

func (w *warnings) Handle(_ context.Context, r slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines++
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "calls" {
			w.calls += a.Value.Int64()
		}
		return true
	})
	return nil
}

// TestAnOutsideThatIsAwayIsLeftAlone has a backlog whose calls fail at once, for half a minute. Their claims must not
// become a loop, nor the log a flood, and the backlog goes out as fast as ever when the outside is back.
func TestAnOutsideThatIsAwayIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const backlog, limit, away, most = 5_000, 16, 30 * time.Second, 3_000
		l := newLeases()
		for i := range backlog {
			l.due[fmt.Sprint(i)] = 0
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		var mu sync.Mutex
		var failed, done int
		var ended time.Time
		logged := &warnings{Handler: slog.DiscardHandler}
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim, Limit: limit, Logger: slog.New(logged),
			Perform: func(_ context.Context, c call) (work.Message[input], error) {
				mu.Lock()
				defer mu.Unlock()
				if time.Since(start) < away {
					if failed++; failed == most {
						cancel() // or it never ends
					}
					return work.Message[input]{}, errNoAnswer
				}
				if done++; done == backlog {
					ended = time.Now()
				}
				return answerTo(c), nil
			},
			Do: func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil },
		})
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		if failed >= most || failed < limit {
			t.Errorf("%d calls were made in vain, want some, far below %d", failed, most)
		}
		if logged.lines > 20 || logged.calls != int64(failed) {
			t.Errorf("%d lines tell of %d calls that failed, want few and %d", logged.lines, logged.calls, failed)
		}
		if took := ended.Sub(start.Add(away)); done != backlog || took > 6*time.Second {
			t.Errorf("%d of %d were made once it was back, after %s", done, backlog, took)
		}
	})
}

// TestOneCallThatFailsHoldsNoOtherBack: its own pause is that of its lease.
func TestOneCallThatFailsHoldsNoOtherBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every = 200 * time.Millisecond
		l := newLeases("fails")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var asked, made time.Time
		calls := work.NewCalls(work.CallsConfig[call, input]{
			Claim: l.claim, Every: every, Logger: slog.New(slog.DiscardHandler),
			Perform: func(_ context.Context, c call) (work.Message[input], error) {
				if c.To == "fails" {
					return work.Message[input]{}, errNoAnswer
				}
				made = time.Now()
				return answerTo(c), nil
			},
			Do: func(context.Context, work.Message[input]) (work.Receipt, error) { return work.Receipt{}, nil },
		})
		time.AfterFunc(10*time.Second, func() {
			l.mu.Lock()
			l.due["other"] = 0
			l.mu.Unlock()
			asked = time.Now()
			calls.Wake()
		})
		if err := calls.Run(ctx); err != nil {
			t.Error(err)
		}
		if waited := made.Sub(asked); made.IsZero() || waited > every {
			t.Errorf("the other waited %s", waited)
		}
	})
}
