package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// stepWithin bounds a step. It is no expectation: what a step waits for comes when it comes.
const stepWithin = time.Minute

// lane is what happens on one ground: its steps, one after the other.
type lane struct {
	on    *ground
	steps []step
}

// lanes of steps, in the order of their first step.
func lanes(of []step) []*lane {
	var all []*lane
	byGround := make(map[*ground]*lane)
	for _, s := range of {
		l := byGround[s.on]
		if l == nil {
			l = &lane{on: s.on}
			byGround[s.on] = l
			all = append(all, l)
		}
		l.steps = append(l.steps, s)
	}
	return all
}

// run shows the steps on a platform of their own. Ready is called once that has started, or will not.
func (l *lane) run(ctx context.Context, program string, r *report, ready func()) error {
	startCtx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	on, err := l.on.start(startCtx, program)
	ready()
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), on.close())
	}
	if err != nil {
		l.cannot(r, err)
		return nil
	}
	r.started(on.Took)
	err = l.show(ctx, on.Client, on, r)
	closed := on.close()
	if err == nil && closed != nil { // which is no reason to give up the other lanes
		r.flaw(l.last(), fmt.Errorf("at its end: %w", closed))
		return nil
	}
	return errors.Join(err, closed)
}

// show shows the steps on a platform that runs.
func (l *lane) show(ctx context.Context, c *client.Client, on *site, r *report) error {
	t, err := newTape(ctx, c.Addresses, fromNow)
	if err != nil {
		l.fail(r, err)
		return nil
	}
	defer func() { _ = t.stop() }() // its fault was looked at before
	var played []*scene
	for _, step := range l.steps {
		stepCtx, cancel := context.WithTimeout(ctx, stepWithin)
		s := newScene(stepCtx, step.name, c, on, t)
		began := time.Now()
		err := s.play(step.run)
		cancel()
		if ctx.Err() != nil { // which says nothing about the step
			return ctx.Err()
		}
		got := result{Step: step.name, Result: ok, Seen: s.notes(), Trace: s.trace, took: time.Since(began)}
		if t = s.tape; on != nil {
			c = on.Client
		}
		if err != nil {
			got.Result, got.Why = failed, err.Error()
		} else {
			played = append(played, s)
		}
		r.add(got)
	}
	for _, s := range played {
		err := s.still(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.flaw(s.step, err)
		}
	}
	// Nobody else writes to a platform that was started here. On another, a step minds its own orders only.
	if on == nil {
		return nil
	}
	err = t.fault()
	if len(played) == len(l.steps) { // a step that failed may have left some
		err = errors.Join(err, noLetters(ctx, on))
	}
	if err != nil {
		r.flaw(l.last(), err)
	}
	return nil
}

// last is the name of the last step.
func (l *lane) last() string { return l.steps[len(l.steps)-1].name }

// cannot says why there is no platform. Want of PostgreSQL is no failure but in CI, which must not skip.
func (l *lane) cannot(r *report, err error) {
	if errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") != "true" {
		l.skip(r, "it needs PostgreSQL's server binaries, which are not installed (Debian: package postgresql)")
		return
	}
	l.fail(r, err)
}

func (l *lane) skip(r *report, why string) {
	for _, s := range l.steps {
		r.add(result{Step: s.name, Result: skipped, Why: why})
	}
}

func (l *lane) fail(r *report, err error) {
	for _, s := range l.steps {
		r.add(result{Step: s.name, Result: failed, Why: err.Error()})
	}
}
