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

	facts   []Fact[E]
	records []outbox.Record
	letters []aside
	done    int
}

func newBatch[I, E any](items []*item[I]) *batch[I, E] {
	for _, it := range items {
		it.prior, it.alias = nil, ""
	}
	return &batch[I, E]{
		items:    items,
		outcomes: make(map[*item[I]]outcome, len(items)),
		copies:   make(map[*item[I]]*item[I]),
	}
}

// look reads the inbox, and gives an outcome to every item that need not be decided. The rest is fresh.
func (b *batch[I, E]) look(ctx context.Context, tx *sqldb.Tx, now time.Time) error {
	known, open, err := find(ctx, tx, b.asked())
	if err != nil {
		return err
	}
	due, err := findDue(ctx, tx, known, now)
	if err != nil {
		return err
	}
	b.setAside(known, due)
	if err := b.findContradictions(ctx, tx, open); err != nil {
		return err
	}
	b.queueUp(open)
	return nil
}

func (b *batch[I, E]) asked() []askedRow {
	asked := make([]askedRow, 0, len(b.items))
	for _, it := range b.items {
		row := askedRow{Scope: it.Scope, ID: it.ID}
		if it.ordered() && !it.retry {
			row.Key = it.Key
		}
		asked = append(asked, row)
		if it.Letter != "" {
			asked = append(asked, askedRow{Scope: it.Scope, ID: it.Letter})
		}
	}
	return asked
}

// setAside gives an outcome to what was consumed before, is a copy of an earlier item, cannot be decoded or saved, or
// is parked and not due.
func (b *batch[I, E]) setAside(known map[inboxKey]inboxRow, due map[inboxKey]bool) {
	first := make(map[inboxKey]*item[I], len(b.items))
	for _, it := range b.items {
		key := inboxKey{it.Scope, it.ID}
		row, seen := known[key]
		if it.retry || it.recurs() && (!seen || row.open()) {
			if err := it.takeUp(known, due); err != nil {
				b.outcomes[it] = outcome{err: err}
				continue
			}
			seen = false
		}
		earlier, copied := first[key]
		switch {
		case seen && !row.matches(it.Digest), copied && earlier.Digest != it.Digest:
			b.outcomes[it] = outcome{err: ErrReused}
		case seen:
			b.outcomes[it] = outcome{receipt: row.receipt()}
		case copied:
			b.copies[it] = earlier
		default:
			first[key] = it
			b.begin(it)
		}
	}
}

// takeUp finds the open row that the item moves.
func (it *item[I]) takeUp(known map[inboxKey]inboxRow, due map[inboxKey]bool) error {
	key := inboxKey{it.Scope, it.letterID()}
	row, found := known[key]
	switch {
	case it.retry && (!found || row.State != stateParked || row.Attempts != it.tried):
		return errMoved
	case !found:
		return nil
	case !it.retry && !row.open(): // the letter of an earlier claim, which is opened anew if this one fails too
		it.prior = &row
		return nil
	case row.State == stateDead:
		return ErrDead
	case !it.retry && !due[key]:
		return ErrParked
	}
	it.prior = &row
	return nil
}

func (b *batch[I, E]) begin(it *item[I]) {
	switch {
	case it.pinned != nil:
		b.outcomes[it] = outcome{err: it.pinned}
	case it.Fault != nil:
		b.outcomes[it] = outcome{err: faultOf(it.Fault)}
	case it.unwanted:
		b.outcomes[it] = outcome{receipt: Receipt{Key: it.Key}}
	default:
		b.fresh = append(b.fresh, it)
	}
}

func faultOf(err error) error {
	if _, ok := errors.AsType[*Fault](err); ok {
		return err
	}
	return &Fault{Class: ClassUndecodable, Err: err}
}

// findContradictions names the records whose id came before with other bytes, by their place and content: that name
// tells whether they are known already.
func (b *batch[I, E]) findContradictions(ctx context.Context, tx *sqldb.Tx, open map[stream]bool) error {
	var keys []inboxKey
	for _, it := range b.items {
		if it.Record != nil && b.outcomes[it].err == ErrReused && !it.retry { //nolint:errorlint // set above, as it is
			it.alias = fmt.Sprintf("%s%d/%d/%x", contradiction, it.Record.Partition, it.Record.Offset, it.Digest)
			keys = append(keys, inboxKey{it.Scope, it.alias})
		}
	}
	if len(keys) == 0 {
		return nil
	}
	known, err := findHandled(ctx, tx, keys)
	for _, it := range b.items {
		if row, seen := known[inboxKey{it.Scope, it.alias}]; it.alias != "" && seen {
			b.outcomes[it] = outcome{receipt: row.receipt()}
			if row.open() && it.ordered() { // another process may have set it aside since the open streams were read
				open[it.stream()] = true
			}
		}
	}
	return err
}

// queueUp sets aside the events of streams whose queue is open.
func (b *batch[I, E]) queueUp(open map[stream]bool) {
	b.fresh = slices.DeleteFunc(b.fresh, func(it *item[I]) bool {
		behind := it.ordered() && !it.retry && open[it.stream()]
		if behind {
			b.outcomes[it] = outcome{err: ErrBehind}
		}
		return behind
	})
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

// fold decides what is fresh, one after another; behind an event that is refused the later ones of its stream are not
// decided. It reports false if it left the state unknown, because a Decide
// panicked or an event could not be encoded after its state had changed: that message is then left out, nothing else
// has an outcome yet, and the caller loads anew.
func (u *Unit[I, S, E]) fold(b *batch[I, E], state S) bool {
	b.facts, b.records = b.facts[:0], b.records[:0]
	decided := make(map[*item[I]]outcome, len(b.fresh))
	// What is fresh waits behind what is fresh, and behind a queue because the inbox says so; what comes out of a queue
	// waits for nothing but its queue.
	blocked := make(map[lineage]bool)
	for _, it := range b.items {
		o, setAside := b.outcomes[it]
		_, copied := b.copies[it]
		switch {
		case setAside || copied:
		case it.ordered() && blocked[it.lineage()]:
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
			}
			decided[it] = o
		}
		if o.err != nil && it.ordered() {
			blocked[it.lineage()] = true
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
			u.cfg.Logger.ErrorContext(it.context(), "decide panicked",
				"scope", it.Scope, "id", it.ID, "panic", p, "stack", string(debug.Stack()))
			b.facts, b.records = b.facts[:facts], b.records[:records]
			spoilt, err = true, fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	if u.cfg.Refuse != nil && it.Record != nil {
		if err := u.cfg.Refuse(it.Key); err != nil {
			return false, err
		}
	}
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
			return true, fmt.Errorf("%w %d: %w", errEncode, n, err)
		}
		b.records = append(b.records, outbox.Record{
			Topic: published.Topic, Key: published.Key, Headers: event.Headers(published), Value: value,
		})
	}
	return false, nil
}

// checkRefused returns ErrConflict if a command that was refused has been handled since the inbox was read: it was
// decided on a state that it had changed already. Of an event that is refused the inbox gets a row, which collides.
func (b *batch[I, E]) checkRefused(ctx context.Context, tx *sqldb.Tx) error {
	var refused []inboxKey
	for it, o := range b.outcomes {
		if o.err != nil && it.Record == nil && !it.recurs() && !errors.Is(o.err, ErrReused) {
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
		case errors.Is(o.err, ErrParked), errors.Is(o.err, ErrDead), errors.Is(o.err, errMoved):
		case o.err != nil:
			c.refused++
		case o.receipt.Repeated:
			c.duplicates++
		}
	}
	return c
}
