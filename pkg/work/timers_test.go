package work_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// TestATimerFiresOnceOnTwoReplicas lists a timer as due again and again, as a read that is behind would.
func TestATimerFiresOnceOnTwoReplicas(t *testing.T) {
	const looks = 3
	for _, tc := range []struct {
		name  string
		mark  func(work.Message[input]) work.Message[input]
		wants func(total int64) bool
	}{
		{"naive: no id in the inbox", unlogged, func(total int64) bool { return total >= 2*looks }},
		{"inbox", func(m work.Message[input]) work.Message[input] { return m }, func(total int64) bool { return total == 1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				migrateToy(t, db)
				var replicas sync.WaitGroup
				defer replicas.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				fired := make([]chan error, 2)
				for i := range fired {
					f := newFixture(t, db, newToy(), work.Config{})
					f.start(t)
					fired[i] = make(chan error, looks)
					timers := work.Timers[input]{
						Due: func(_ context.Context, now time.Time, _ int) ([]work.Message[input], error) {
							return []work.Message[input]{tc.mark(work.TimerMessage[input]("timeout/a", "a", now, add{"a", 1}))}, nil
						},
						Do: func(ctx context.Context, m work.Message[input]) (work.Receipt, error) {
							receipt, err := f.Do(ctx, m)
							select {
							case fired[i] <- err:
							case <-ctx.Done():
							}
							return receipt, err
						},
						Every: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
					}
					replicas.Go(func() {
						if err := timers.Run(ctx); err != nil {
							t.Error(err)
						}
					})
				}
				for _, answers := range fired {
					for range looks {
						if err := <-answers; err != nil {
							t.Error(err)
						}
					}
				}
				if total := totals(t, db)["a"]; !tc.wants(total) {
					t.Errorf("fired %d times", total)
				}
			})
		})
	}
}

// due is a list of timers by the instant at which they fall due.
type due map[string]time.Time

func (d due) at(now time.Time, limit int) []work.Message[input] {
	var messages []work.Message[input]
	for id, at := range d {
		if !at.After(now) {
			messages = append(messages, work.TimerMessage[input](id, id, now, add{id, 1}))
		}
	}
	return messages[:min(limit, len(messages))]
}

func TestTimersWaitForTheHorizon(t *testing.T) {
	type horizon func(context.Context, time.Time) (time.Time, error)
	for _, tc := range []struct {
		name    string
		horizon func(start time.Time) horizon
		want    []string
	}{
		{"naive: no horizon", func(time.Time) horizon { return nil }, []string{"early", "late"}},
		{"the backlog is handled up to five seconds", func(start time.Time) horizon {
			return func(context.Context, time.Time) (time.Time, error) { return start.Add(5 * time.Second), nil }
		}, []string{"early"}},
		{"the horizon is unknown", func(time.Time) horizon {
			return func(context.Context, time.Time) (time.Time, error) { return time.Time{}, errors.New("broker away") }
		}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				pending := due{"early": start.Add(time.Second), "late": start.Add(10 * time.Second), "never": start.Add(time.Hour)}
				var mu sync.Mutex
				var fired []string
				timers := work.Timers[input]{
					Due: func(_ context.Context, now time.Time, limit int) ([]work.Message[input], error) {
						mu.Lock()
						defer mu.Unlock()
						return pending.at(now, limit), nil
					},
					Do: func(_ context.Context, m work.Message[input]) (work.Receipt, error) {
						mu.Lock()
						defer mu.Unlock()
						delete(pending, m.ID)
						fired = append(fired, m.ID)
						return work.Receipt{}, nil
					},
					Horizon: tc.horizon(start), Logger: slog.New(slog.DiscardHandler),
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				if err := timers.Run(ctx); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(tc.want, fired); diff != "" {
					t.Error("fired (-want +got):\n" + diff)
				}
			})
		})
	}
}

// TestTheHorizonIsNotAskedInVain: it costs a round trip to the broker.
func TestTheHorizonIsNotAskedInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers := work.Timers[input]{
			Due: func(context.Context, time.Time, int) ([]work.Message[input], error) { return nil, nil },
			Horizon: func(_ context.Context, now time.Time) (time.Time, error) {
				t.Error("asked with nothing due")
				return now, nil
			},
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := timers.Run(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestATimerThatFailsFiresAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var answers []error
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		timers := work.Timers[input]{
			Due: func(_ context.Context, now time.Time, _ int) ([]work.Message[input], error) {
				return []work.Message[input]{work.TimerMessage[input]("t", "a", now, add{"a", 1})}, nil
			},
			Do: func(context.Context, work.Message[input]) (work.Receipt, error) {
				mu.Lock()
				defer mu.Unlock()
				answers = append(answers, nil)
				if len(answers) < 3 {
					answers[len(answers)-1] = work.ErrBusy
					return work.Receipt{}, work.ErrBusy
				}
				cancel()
				return work.Receipt{}, nil
			},
			Logger: slog.New(slog.DiscardHandler),
		}
		if err := timers.Run(ctx); err != nil {
			t.Error(err)
		}
		if !slices.Equal(answers, []error{work.ErrBusy, work.ErrBusy, nil}) {
			t.Errorf("answers %v", answers)
		}
	})
}

func TestATimersIdentityIsItsName(t *testing.T) {
	now := time.Now()
	a, again := work.TimerMessage[input]("t", "a", now, nil), work.TimerMessage[input]("t", "a", now.Add(time.Hour), nil)
	other := work.TimerMessage[input]("u", "a", now, nil)
	if a.Cause != again.Cause || a.Cause == other.Cause || a.Scope != work.ScopeTimer {
		t.Errorf("causes %v, %v, %v in scope %s", a.Cause, again.Cause, other.Cause, a.Scope)
	}
}
