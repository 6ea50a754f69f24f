package api

import (
	"context"
	"sync"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// lookEvery is how often the database is asked, in one query for all waiters, for what other replicas committed.
const lookEvery = 100 * time.Millisecond

// Waiters are the requests that wait until an order is no longer pending.
type Waiters struct {
	mu     sync.Mutex
	orders map[string]*waiters
}

type waiters struct {
	count   int
	changed chan struct{}
}

// NewWaiters returns none.
func NewWaiters() *Waiters { return &Waiters{orders: make(map[string]*waiters)} }

// Register returns a channel that is closed when the order is no longer pending. Forget must be called.
func (w *Waiters) Register(id string) (changed <-chan struct{}, forget func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.orders[id]
	if entry == nil {
		entry = &waiters{changed: make(chan struct{})}
		w.orders[id] = entry
	}
	entry.count++
	return entry.changed, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if entry.count--; entry.count == 0 && w.orders[id] == entry {
			delete(w.orders, id)
		}
	}
}

// Committed wakes those whose orders this process has just settled.
func (w *Waiters) Committed(facts []work.Fact[order.Event]) {
	var ids []string
	for _, f := range facts {
		switch e := f.Event.(type) {
		case order.Confirmed:
			ids = append(ids, e.OrderID)
		case order.Cancelled:
			ids = append(ids, e.OrderID)
		}
	}
	w.wake(ids)
}

// Run wakes those whose orders another replica has settled, until ctx ends.
func (w *Waiters) Run(ctx context.Context, db *sqldb.DB) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if ids := w.ids(); len(ids) > 0 {
			// An error leaves the waiters waiting: the next look comes soon, and their own time ends anyway.
			settled, err := store.Settled(ctx, db, ids)
			if err == nil {
				w.wake(settled)
			}
		}
	}
}

func (w *Waiters) ids() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]string, 0, len(w.orders))
	for id := range w.orders {
		ids = append(ids, id)
	}
	return ids
}

func (w *Waiters) wake(ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if entry := w.orders[id]; entry != nil {
			close(entry.changed)
			delete(w.orders, id)
		}
	}
}
