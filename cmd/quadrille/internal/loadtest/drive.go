package loadtest

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/platform/load"
)

const (
	collectEvery = 250 * time.Millisecond
	// hurry is how long a load that was cut short waits for its last sagas.
	hurry = 2 * time.Second
)

// drive places the orders and collects what becomes of them.
func (c Command) drive(ctx context.Context, l *load.Load, w *load.Watcher, progress *progress) *Report {
	started := time.Now()
	t := newTally(w)
	loaded := make(chan time.Duration, 1)
	go func() {
		l.Run(ctx, c.Rate, c.Duration)
		loaded <- time.Since(started)
	}()
	ticker := time.NewTicker(collectEvery)
	defer ticker.Stop()
	var took time.Duration
	for took == 0 {
		select {
		case took = <-loaded:
		case <-ticker.C:
		}
		t.collect(l.Drain())
		progress.tell(time.Since(started), l.Counts(), t)
	}
	deadline := time.NewTimer(c.Settle)
	defer deadline.Stop()
	defer context.AfterFunc(ctx, func() { deadline.Reset(min(c.Settle, hurry)) })()
	for waiting := true; waiting && len(t.open) > 0; {
		select {
		case <-deadline.C:
			waiting = false
		case <-ticker.C:
		}
		t.collect(nil)
		progress.tell(time.Since(started), l.Counts(), t)
	}
	progress.end()
	return c.report(took, ctx.Err() != nil, l.Counts(), t)
}
