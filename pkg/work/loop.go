package work

import (
	"context"
	"errors"
	"time"
)

// Run takes what waits and commits it until ctx ends. What was taken is finished or given back as ErrStopped.
func (u *Unit[I, S, E]) Run(ctx context.Context) error {
	defer close(u.stopped)
	for {
		entries := u.queue.take(ctx, u.cfg.MaxBatch)
		if entries == nil {
			return nil
		}
		var items []*item[I]
		for _, e := range entries {
			items = append(items, e.items...)
		}
		span := u.begin(items)
		u.settle(ctx, items)
		u.end(ctx, span, items)
	}
}

// Do hands in one message and returns once it is committed; concurrent calls share transactions. The error is the
// domain's own, ErrReused, ErrBusy if it could not be taken in time, ErrStopped, or that of the database. After ErrBusy
// the message is not done, unless its transaction's answer was lost.
func (u *Unit[I, S, E]) Do(ctx context.Context, m Message[I]) (Receipt, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := newEntry(ctx, u.traced(m))
	it := e.items[0]
	if !u.queue.put(e, true) {
		return Receipt{}, ErrBusy
	}

	timer := time.NewTimer(u.cfg.TakeWithin)
	defer timer.Stop()
	gaveUp := ErrStopped
	select {
	case <-e.done:
		return it.receipt, it.err
	case <-timer.C:
		gaveUp = ErrBusy
	case <-ctx.Done():
	case <-u.stopped:
	}
	if u.queue.remove(e) {
		return Receipt{}, gaveUp
	}
	cancel() // begun: it ends with the attempt that is under way
	<-e.done
	if errors.Is(it.err, ErrStopped) {
		return Receipt{}, gaveUp
	}
	return it.receipt, it.err
}

// Take hands in a batch of events in order and returns once each is committed, known from before, or set aside, parked
// or dead: all of it is durable, and offsets may move. On an error, which is ErrStopped only, any of them may be
// undone.
func (u *Unit[I, S, E]) Take(ctx context.Context, messages []Message[I]) ([]Refusal, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	return u.takeEntry(ctx, newEntry(ctx, messages...))
}

func (u *Unit[I, S, E]) takeEntry(ctx context.Context, e *entry[I]) ([]Refusal, error) {
	u.queue.put(e, false)
	select {
	case <-e.done:
	case <-ctx.Done():
		if u.queue.remove(e) {
			return nil, ErrStopped
		}
		<-e.done
	case <-u.stopped:
		if u.queue.remove(e) {
			return nil, ErrStopped
		}
		<-e.done
	}

	var refusals []Refusal
	for i, it := range e.items {
		if errors.Is(it.err, ErrStopped) {
			return nil, ErrStopped
		}
		if it.err != nil {
			refusals = append(refusals, Refusal{Index: i, Err: it.err})
		}
	}
	return refusals, nil
}
