package work

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// outcome of one item in one attempt.
type outcome struct {
	receipt Receipt
	err     error
}

// batch is the plan of one attempt at a transaction: what is fresh, what came of it, what has to be written.
type batch[I, E any] struct {
	items    []*item[I]
	outcomes map[*item[I]]outcome
	// copies are later copies of an id within the batch; they share the outcome of the first.
	copies map[*item[I]]*item[I]
	// fresh are to be decided, in order of arrival.
	fresh []*item[I]

	handled []*item[I]
	facts   []Fact[E]
	records []outbox.Record
}

func newBatch[I, E any](items []*item[I]) *batch[I, E] {
	return &batch[I, E]{
		items:    items,
		outcomes: make(map[*item[I]]outcome, len(items)),
		copies:   make(map[*item[I]]*item[I]),
	}
}

func (b *batch[I, E]) keys() []inboxKey {
	keys := make([]inboxKey, 0, len(b.items))
	for _, it := range b.items {
		if !it.Unlogged {
			keys = append(keys, inboxKey{it.Scope, it.ID})
		}
	}
	return keys
}

// setAside gives an outcome to every item that need not be decided: handled before, a copy of an earlier item, or
// undecodable. The rest is fresh.
func (b *batch[I, E]) setAside(handled map[inboxKey]inboxRow) {
	first := make(map[inboxKey]*item[I], len(b.items))
	for _, it := range b.items {
		key := inboxKey{it.Scope, it.ID}
		row, seen := handled[key]
		earlier, copied := first[key]
		switch {
		case it.Unlogged && it.Fault == nil:
			b.fresh = append(b.fresh, it)
		case seen && !row.matches(it.Digest), copied && earlier.Digest != it.Digest:
			b.outcomes[it] = outcome{err: ErrReused}
		case seen:
			b.outcomes[it] = outcome{receipt: row.receipt()}
		case copied:
			b.copies[it] = earlier
		case it.Fault != nil:
			first[key] = it
			b.outcomes[it] = outcome{err: it.Fault}
		default:
			first[key] = it
			b.fresh = append(b.fresh, it)
		}
	}
}

// inputs of what is fresh.
func (b *batch[I, E]) inputs() []I {
	inputs := make([]I, len(b.fresh))
	for i, it := range b.fresh {
		inputs[i] = it.Input
	}
	return inputs
}

// leaveOut refuses a fresh item for good.
func (b *batch[I, E]) leaveOut(it *item[I], err error) {
	b.outcomes[it] = outcome{err: err}
	b.fresh = slices.DeleteFunc(b.fresh, func(other *item[I]) bool { return other == it })
}

// fold decides what is fresh, one after another; behind a refused event the later ones of its stream are refused too.
// It reports false if it left the state unknown, because a Decide panicked or an event could not be encoded after its
// state had changed: that message is then left out, nothing else has an outcome yet, and the caller loads anew.
func (u *Unit[I, S, E]) fold(b *batch[I, E], state S) bool {
	b.handled, b.facts, b.records = b.handled[:0], b.facts[:0], b.records[:0]
	decided := make(map[*item[I]]outcome, len(b.fresh))
	blocked := make(map[stream]bool)
	for _, it := range b.items {
		o, setAside := b.outcomes[it]
		_, copied := b.copies[it]
		switch {
		case setAside || copied:
		case it.ordered() && blocked[it.stream()]:
			o.err = ErrBehind
			decided[it] = o
		default:
			var spoilt bool
			if spoilt, o.err = u.decide(b, state, it); spoilt {
				b.leaveOut(it, o.err)
				return false
			}
			if o.err == nil {
				o.receipt = Receipt{Key: it.Key, Status: it.Status}
				if !it.Unlogged {
					b.handled = append(b.handled, it)
				}
			}
			decided[it] = o
		}
		if o.err != nil && it.ordered() {
			blocked[it.stream()] = true
		}
	}
	maps.Copy(b.outcomes, decided)
	return true
}

// decide handles one message. Spoilt is true if the state may have changed although err is not nil; nothing of the
// message is left in b after an error.
func (u *Unit[I, S, E]) decide(b *batch[I, E], state S, it *item[I]) (spoilt bool, err error) {
	facts, records := len(b.facts), len(b.records)
	defer func() {
		if p := recover(); p != nil {
			u.cfg.Logger.Error("decide panicked",
				"scope", it.Scope, "id", it.ID, "panic", p, "stack", string(debug.Stack()))
			b.facts, b.records = b.facts[:facts], b.records[:records]
			spoilt, err = true, fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	happened, err := it.Input.Decide(state)
	if err != nil {
		return false, err
	}
	for n, e := range happened {
		fact := Fact[E]{ID: event.Derive(u.service.Name, it.Cause.ID, n), Cause: it.Cause, Event: e}
		b.facts = append(b.facts, fact)
		published, public := u.service.Publish(e)
		if !public {
			continue
		}
		published.ID, published.Cause, published.Source = fact.ID, it.Cause, "/quadrille/"+u.service.Name
		value, err := u.service.Encode(&published)
		if err != nil {
			b.facts, b.records = b.facts[:facts], b.records[:records]
			return true, fmt.Errorf("encode event %d: %w", n, err)
		}
		b.records = append(b.records, outbox.Record{
			Topic: published.Topic, Key: published.Key, Headers: event.Headers(published), Value: value,
		})
	}
	return false, nil
}

// checkRefused returns ErrConflict if what a decision refused has been handled since the inbox was read: it was decided
// on a state that it had changed already.
func (b *batch[I, E]) checkRefused(ctx context.Context, tx *sqldb.Tx) error {
	var refused []inboxKey
	for it, o := range b.outcomes {
		decided := o.err != nil && it.Fault == nil && !errors.Is(o.err, ErrReused) && !errors.Is(o.err, ErrBehind)
		if decided && !it.Unlogged {
			refused = append(refused, inboxKey{it.Scope, it.ID})
		}
	}
	if len(refused) == 0 {
		return nil
	}
	handled, err := findHandled(ctx, tx, refused)
	if err == nil && len(handled) > 0 {
		err = ErrConflict
	}
	return err
}

func (b *batch[I, E]) inboxRows(now time.Time) []inboxRow {
	rows := make([]inboxRow, len(b.handled))
	for i, it := range b.handled {
		rows[i] = inboxRow{
			Scope: it.Scope, ID: it.ID, State: stateDone, Digest: it.Digest[:],
			Status: int64(it.Status), Resource: it.Key, Handled: now,
		}
	}
	return rows
}

// conclude hands every item its outcome, after the commit.
func (b *batch[I, E]) conclude() {
	for _, it := range b.items {
		o := b.outcomes[it]
		if first, copied := b.copies[it]; copied {
			o = b.outcomes[first]
			o.receipt.Repeated = o.err == nil
		}
		it.finish(o.receipt, o.err)
	}
}

// counts for the metrics.
func (b *batch[I, E]) counts() counts {
	c := counts{messages: len(b.items), facts: len(b.facts), duplicates: len(b.copies)}
	for _, o := range b.outcomes {
		switch {
		case o.err != nil:
			c.refused++
		case o.receipt.Repeated:
			c.duplicates++
		}
	}
	return c
}
