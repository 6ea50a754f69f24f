package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// marks are what a batch leaves in the inbox and among the letters.
type marks struct {
	inserted []inboxRow
	moved    []moveRow
	reopened []asideRow  // of calls that failed before, and were done or discarded since
	written  []asideRow  // of messages that failed for the first time, in the order of their queues
	failed   []asideRow  // that failed again
	answered []inboxKey  // letters of messages that are done at last
	ended    []streamRow // queues whose head is done
}

// moveRow changes a row that still is as it was loaded.
type moveRow struct {
	Scope    string    `db:"scope"`
	ID       string    `db:"id"`
	Was      string    `db:"was"`
	Tried    int64     `db:"tried"`
	State    string    `db:"state"`
	Attempts int64     `db:"attempts"`
	Handled  time.Time `db:"handled_at"`
}

// mark writes what became of each message of the batch: done, parked or dead.
func (u *Unit[I, S, E]) mark(ctx context.Context, tx *sqldb.Tx, b *batch[I, E], now time.Time) error {
	var m marks
	for _, it := range b.items {
		o := b.outcomes[it]
		_, copied := b.copies[it]
		switch {
		case copied, o.receipt.Repeated:
		case o.err == nil:
			b.done++
			markDone(&m, it, now)
		case it.becomesLetter(o.err):
			l := u.letterOf(it, o.err, now)
			if l.add(&m, it.prior, it.Digest, now); l.state == stateDead {
				b.records = append(b.records, l.copy(u.service.Name, it.Key))
			}
			b.letters = append(b.letters, l)
		}
	}
	return m.write(ctx, tx, now)
}

// becomesLetter reports whether err, which it ended with, is to be kept: not if it is the caller's own affair, nor if
// the message has its letter already and was not tried.
func (it *item[I]) becomesLetter(err error) bool {
	switch {
	case errors.Is(err, errMoved), errors.Is(err, ErrParked), errors.Is(err, ErrDead):
		return false
	case it.retry:
		return !errors.Is(err, ErrBehind)
	case it.recurs():
		return !errors.Is(err, ErrReused)
	}
	return it.Record != nil
}

func markDone[I any](m *marks, it *item[I], now time.Time) {
	if it.prior != nil && it.prior.open() {
		m.moved = append(m.moved, it.prior.move(stateDone, it.prior.Attempts+1, now))
		m.answered = append(m.answered, inboxKey{it.prior.Scope, it.prior.ID})
		if it.ordered() {
			m.ended = append(m.ended, streamRow{it.Scope, it.Key})
		}
	}
	if !it.Unlogged && (it.prior == nil || it.prior.ID != it.ID) {
		m.inserted = append(m.inserted, inboxRow{
			Scope: it.Scope, ID: it.ID, State: stateDone, Digest: it.Digest[:],
			Status: int64(it.Status), Resource: it.Key, Handled: &now,
		})
	}
}

func (r inboxRow) move(state string, attempts int64, now time.Time) moveRow {
	return moveRow{
		Scope: r.Scope, ID: r.ID, Was: r.State, Tried: r.Attempts, State: state, Attempts: attempts, Handled: now,
	}
}

func (m *marks) write(ctx context.Context, tx *sqldb.Tx, now time.Time) error {
	if len(m.inserted) > 0 {
		if err := insertHandled(ctx, tx, m.inserted); err != nil {
			return err
		}
		failpoint.Hit(failpoint.InboxInserted)
	}
	if len(m.reopened) > 0 {
		keys := make([]inboxKey, len(m.reopened))
		for i, row := range m.reopened {
			keys[i] = inboxKey{row.Scope, row.ID}
		}
		if err := deleteLetters(ctx, tx, keys); err != nil {
			return err
		}
		m.written = append(m.written, m.reopened...)
	}
	if len(m.written) > 0 {
		if err := insertLetters(ctx, tx, m.written); err != nil {
			return err
		}
		failpoint.Hit(failpoint.LetterWritten)
	}
	if len(m.moved) == 0 {
		return nil
	}
	failpoint.Hit(failpoint.LetterMoving)
	if err := Write(ctx, tx, m.moved, `
		UPDATE inbox SET state = rows.state, attempts = rows.attempts, handled_at = rows.handled_at
		FROM rows WHERE inbox.scope = rows.scope AND inbox.id = rows.id AND inbox.state = rows.was
			AND inbox.attempts = rows.tried`); err != nil {
		return fmt.Errorf("move %d rows of the inbox: %w", len(m.moved), err)
	}
	failpoint.Hit(failpoint.LetterMoved)
	if err := updateLetters(ctx, tx, m.failed); err != nil {
		return err
	}
	if err := deleteLetters(ctx, tx, m.answered); err != nil {
		return err
	}
	return promote(ctx, tx, m.ended, now)
}
