package work

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// Timers hands in what falls due. A deadline lives in the service's own rows and survives restarts; a timer's id makes
// its firing happen once, on however many replicas.
type Timers[I any] struct {
	// Due lists messages that fell due at or before now, oldest first, at most limit, but for those set aside; see
	// NotAside. Their scope is ScopeTimer.
	Due func(ctx context.Context, now time.Time, limit int) ([]Message[I], error)
	// Horizon returns the instant up to which all that waited on the topics has been handled, and is asked only when
	// something is due: later timers wait, so that a backlog of ours is not held against anyone. Nil: now.
	Horizon func(ctx context.Context, now time.Time) (time.Time, error)
	// Do is the Unit's.
	Do func(ctx context.Context, m Message[I]) (Receipt, error)
	// Every is the time between looks. Defaults to 200 ms.
	Every time.Duration
	// Clock defaults to time.Now, Logger to slog.Default().
	Clock  func() time.Time
	Logger *slog.Logger
}

// NotAside is an SQL condition: the timer whose id is the first expression is neither dead nor discarded, nor parked
// for longer than the instant that is the second.
func NotAside(id, now string) string {
	return `NOT EXISTS (
		SELECT 1 FROM inbox aside LEFT JOIN letters l ON l.scope = aside.scope AND l.id = aside.id
		WHERE aside.scope = 'timer' AND aside.id = ` + id + ` AND aside.state <> 'done'
			AND (aside.state <> 'parked' OR l.retry_at > ` + now + `))`
}

// TimerMessage returns a timer's message. Its id makes it fire once; key is that of the aggregate.
func TimerMessage[I any](id, key string, now time.Time, in I) Message[I] {
	cause := event.Derive("quadrille/"+ScopeTimer, id, 0)
	return Message[I]{
		Scope: ScopeTimer, ID: id, Key: key, At: now, Input: in, Cause: event.Cause{ID: cause, Correlation: cause},
	}
}

const timersAtATime = 500

// Run fires timers until ctx ends.
func (t Timers[I]) Run(ctx context.Context) error {
	if t.Every == 0 {
		t.Every = 200 * time.Millisecond
	}
	if t.Clock == nil {
		t.Clock = time.Now
	}
	if t.Logger == nil {
		t.Logger = slog.Default()
	}
	ticker := time.NewTicker(t.Every)
	defer ticker.Stop()
	var repeats telemetry.Repeats
	for {
		if err := t.fire(ctx, &repeats); err != nil && ctx.Err() == nil && repeats.Due(err.Error()) {
			t.Logger.Warn("timers wait", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (t Timers[I]) fire(ctx context.Context, repeats *telemetry.Repeats) error {
	now := event.Now(t.Clock)
	due, err := t.Due(ctx, now, 1)
	if err != nil || len(due) == 0 {
		return err
	}
	horizon := now
	if t.Horizon != nil {
		if horizon, err = t.Horizon(ctx, now); err != nil {
			return err
		}
	}
	if due, err = t.Due(ctx, horizon, timersAtATime); err != nil {
		return err
	}
	return doAll(ctx, t.Do, due, func(m Message[I], err error) {
		if !errors.Is(err, ErrParked) && !errors.Is(err, ErrDead) && repeats.Due(err.Error()) {
			t.Logger.Warn("timer not done, it fires again", "id", m.ID, "error", err)
		}
	})
}

// doAll hands in messages side by side, so that they share transactions, and waits for all.
func doAll[I any](ctx context.Context, do func(context.Context, Message[I]) (Receipt, error), messages []Message[I],
	failed func(Message[I], error)) error {
	done := make(chan struct{})
	for _, m := range messages {
		go func() {
			defer func() { done <- struct{}{} }()
			failpoint.Hit(failpoint.TimerDue)
			if _, err := do(ctx, m); err != nil {
				failed(m, err)
			}
		}()
	}
	for range messages {
		<-done
	}
	return ctx.Err()
}
