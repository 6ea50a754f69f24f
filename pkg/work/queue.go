package work

import (
	"cmp"
	"context"
	"sync"
	"time"
)

// item is a message on its way through the loop. Its outcome may be read once its entry is done.
type item[I any] struct {
	Message[I]
	ctx     context.Context
	entry   *entry[I]
	receipt Receipt
	err     error

	// retry is set if the item comes out of its queue; tried and failed are then those of its letter.
	retry  bool
	tried  int64
	failed time.Time
	// unwanted says that a retried record turned out to be of no interest.
	unwanted bool
	// pinned is why its transaction failed when it stood alone.
	pinned error

	// Of one attempt: the open row of the inbox that it moves, nil if it has none, and the id that its letter gets
	// because another record has its own.
	prior *inboxRow
	alias string
}

// letterID is the id of its row when it is parked or dead.
func (it *item[I]) letterID() string { return cmp.Or(it.alias, it.Letter, it.ID) }

// recurs reports whether whoever handed it in does so again by itself: a timer or an answer, but no event or command.
func (it *item[I]) recurs() bool { return it.Scope == ScopeTimer || it.Scope == ScopeCall }

// finish gives the item its outcome, once, in the loop. Its caller need not wait for what else was in the batch: an
// event may wait out an outage for hours, a command beside it must not.
func (it *item[I]) finish(receipt Receipt, err error) {
	it.receipt, it.err = receipt, err
	it.endSpan()
	if it.entry.left--; it.entry.left == 0 {
		close(it.entry.done)
	}
}

// stream is a topic and key, whose events are handled in order.
type stream struct{ topic, key string }

func (it *item[I]) stream() stream { return stream{it.Scope, it.Key} }

// lineage is a stream, as far as it comes fresh or out of its queue.
type lineage struct {
	stream
	retry bool
}

func (it *item[I]) lineage() lineage { return lineage{it.stream(), it.retry} }

// ordered reports whether later events of its stream have to wait behind it.
func (it *item[I]) ordered() bool { return it.Record != nil && !it.Unlogged && it.Key != "" }

// entry is what one caller of Do or Take waits for; its items share one transaction.
type entry[I any] struct {
	items []*item[I]
	left  int           // items without an outcome
	done  chan struct{} // closed when none is left
}

func newEntry[I any](ctx context.Context, messages ...Message[I]) *entry[I] {
	e := &entry[I]{items: make([]*item[I], len(messages)), left: len(messages), done: make(chan struct{})}
	for i, m := range messages {
		e.items[i] = &item[I]{Message: m, ctx: ctx, entry: e}
	}
	return e
}

// queue holds entries in order of arrival until the loop takes them.
type queue[I any] struct {
	mu      sync.Mutex
	entries []*entry[I]
	waiting int // messages
	limit   int // of messages from Do; Take is bounded by its caller, who waits
	ready   chan struct{}
}

func newQueue[I any](limit int) *queue[I] {
	return &queue[I]{limit: limit, ready: make(chan struct{}, 1)}
}

// put reports false if the queue is full, which only a bounded entry can meet.
func (q *queue[I]) put(e *entry[I], bounded bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if bounded && q.waiting >= q.limit {
		return false
	}
	q.entries = append(q.entries, e)
	q.waiting += len(e.items)
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return true
}

// remove reports whether e still waited.
func (q *queue[I]) remove(e *entry[I]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.entries {
		if other == e {
			q.entries = append(q.entries[:i], q.entries[i+1:]...)
			q.waiting -= len(e.items)
			return true
		}
	}
	return false
}

// take waits for entries and returns those that fit into limit messages, at least one entry. It returns nil when ctx
// ends.
func (q *queue[I]) take(ctx context.Context, limit int) []*entry[I] {
	for {
		if taken := q.takeNow(limit); taken != nil {
			return taken
		}
		select {
		case <-ctx.Done():
			return nil
		case <-q.ready:
		}
	}
}

func (q *queue[I]) takeNow(limit int) []*entry[I] {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, messages := 0, 0
	for n < len(q.entries) && (n == 0 || messages+len(q.entries[n].items) <= limit) {
		messages += len(q.entries[n].items)
		n++
	}
	if n == 0 {
		return nil
	}
	taken := q.entries[:n:n]
	q.entries = q.entries[n:]
	q.waiting -= messages
	if len(q.entries) > 0 {
		select {
		case q.ready <- struct{}{}:
		default:
		}
	}
	return taken
}
