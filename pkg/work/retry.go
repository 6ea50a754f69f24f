package work

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const (
	// Attempts of one batch before it is halved: a conflict or an outage that recurs that often, while the
	// database answers, belongs to something in the batch.
	maxConflicts = 10
	maxOutages   = 5

	firstPause = 5 * time.Millisecond
	// Whoever was first has committed by then.
	maxConflictPause = 100 * time.Millisecond
	maxOutagePause   = time.Second
)

// settle gives every item an outcome, in as few transactions as it can. What cannot be saved is found by halving, in
// order, until it stands alone: then a command is refused, and anything else parked.
func (u *Unit[I, S, E]) settle(ctx context.Context, items []*item[I]) {
	u.settleBefore(ctx, items, func() {})
}

// settleBefore is settle while others wait for it: before each attempt, meanwhile lets go those of them whose caller
// has given up.
func (u *Unit[I, S, E]) settleBefore(ctx context.Context, items []*item[I], meanwhile func()) {
	conflicts, outages := 0, 0
	for {
		items = dropGone(ctx, items)
		meanwhile()
		if len(items) == 0 {
			return
		}
		err := u.transact(ctx, items)
		if err == nil {
			return
		}
		switch {
		case errors.Is(err, ErrConflict):
			u.cfg.Metrics.conflict(ctx)
			if conflicts++; conflicts < maxConflicts {
				pause(ctx, conflicts, maxConflictPause)
				continue
			}
		case sqldb.IsUnavailable(err) || errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
			u.cfg.Metrics.outage(ctx)
			u.cfg.Logger.Warn("transaction failed, trying again", "messages", len(items), "error", err)
			if outages++; outages < maxOutages || u.probe(ctx) != nil {
				pause(ctx, outages, maxOutagePause)
				continue
			}
		}

		if len(items) > 1 {
			first, rest := items[:len(items)/2], items[len(items)/2:]
			u.settleBefore(ctx, first, func() {
				rest = dropGone(ctx, rest)
				meanwhile()
			})
			u.settleBefore(ctx, leaveQueued(first, rest), meanwhile)
			return
		}
		switch it := items[0]; {
		case it.Record == nil && !it.recurs():
			u.cfg.Logger.ErrorContext(it.context(), "command refused", "scope", it.Scope, "id", it.ID, "error", err)
			it.finish(Receipt{}, err)
			return
		case it.pinned == nil:
			it.pinned = pinned{err}
			conflicts, outages = 0, 0
		default: // not even its letter can be written: to go on would lose it
			u.cfg.Logger.ErrorContext(it.context(), "message cannot be set aside, trying again",
				"scope", it.Scope, "id", it.ID, "error", err)
			pause(ctx, maxOutages, maxOutagePause)
		}
	}
}

// probe reports whether the database takes a transaction that writes: a full disk, or a standby, answers reads.
func (u *Unit[I, S, E]) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, u.cfg.TransactionTimeout)
	defer cancel()
	return u.db.Tx(ctx, func(tx *sqldb.Tx) error {
		now := event.Now(u.cfg.Clock)
		row := inboxRow{
			Scope: scopeProbe, ID: event.NewID(), State: stateDone, Digest: []byte{}, Handled: &now,
		}
		if err := insertHandled(ctx, tx, []inboxRow{row}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM inbox WHERE scope = $1 AND id = $2`, row.Scope, row.ID)
		return err
	})
}

// leaveQueued leaves those in their queue whose queue has stopped at one before them. Of what comes fresh the inbox
// says so; what comes out of a queue is let through there.
func leaveQueued[I any](settled, rest []*item[I]) []*item[I] {
	stopped := make(map[stream]bool)
	for _, it := range settled {
		if it.retry && it.ordered() && it.err != nil {
			stopped[it.stream()] = true
		}
	}
	if len(stopped) == 0 {
		return rest
	}
	kept := make([]*item[I], 0, len(rest))
	for _, it := range rest {
		if it.retry && it.ordered() && stopped[it.stream()] {
			it.finish(Receipt{}, ErrBehind)
			continue
		}
		kept = append(kept, it)
	}
	return kept
}

// dropGone finishes the items whose caller has given up, or all if the unit stops.
func dropGone[I any](ctx context.Context, items []*item[I]) []*item[I] {
	kept := make([]*item[I], 0, len(items))
	for _, it := range items {
		if ctx.Err() != nil || it.ctx.Err() != nil {
			it.finish(Receipt{}, ErrStopped)
			continue
		}
		kept = append(kept, it)
	}
	return kept
}

// pause grows with the attempt up to a limit, with jitter so that two replicas that collide do not collide again.
func pause(ctx context.Context, attempt int, limit time.Duration) {
	d := min(firstPause<<min(attempt, 10), limit)
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
