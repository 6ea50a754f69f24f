package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// step is an event of a saga that is confirmed.
type step int

const (
	orderPlaced step = iota
	stockReserved
	paymentAuthorized
	orderConfirmed
	stockCommitted
	paymentCaptured
	steps
)

var stepOf = map[string]step{
	"quadrille.order.OrderPlaced":         orderPlaced,
	"quadrille.inventory.StockReserved":   stockReserved,
	"quadrille.payment.PaymentAuthorized": paymentAuthorized,
	"quadrille.order.OrderConfirmed":      orderConfirmed,
	"quadrille.inventory.StockCommitted":  stockCommitted,
	"quadrille.payment.PaymentCaptured":   paymentCaptured,
}

// moment of an event: when what led to it arrived at its service, and when the relay handed it to the producer, which
// is after the commit, to the millisecond.
type moment struct{ arrived, published time.Time }

// saga is what the topics say of one order.
type saga [steps]moment

// confirmed is when OrderConfirmed was published; zero if it was not.
func (s *saga) confirmed() time.Time { return s[orderConfirmed].published }

// completed is when both of the last answers were published; zero if one is missing.
func (s *saga) completed() time.Time {
	committed, captured := s[stockCommitted].published, s[paymentCaptured].published
	if committed.IsZero() || captured.IsZero() {
		return time.Time{}
	}
	if committed.After(captured) {
		return committed
	}
	return captured
}

// watcher reads the services' topics, so that watching costs the services nothing but a fetch.
type watcher struct {
	client *kgo.Client

	mu        sync.Mutex
	sagas     map[string]*saga
	completed int
	failed    int // orders that went another way
}

func newWatcher(brokers string) (*watcher, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ClientID("bench"), kgo.DisableClientMetrics(),
		kgo.ConsumeTopics("order.events", "inventory.events", "payment.events"),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &watcher{client: client, sagas: make(map[string]*saga)}, nil
}

// run reads until ctx ends.
func (w *watcher) run(ctx context.Context) error {
	defer w.client.Close()
	for {
		fetches := w.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("watch the topics: %w", err)
		}
		w.mu.Lock()
		fetches.EachRecord(w.note)
		w.mu.Unlock()
	}
}

func (w *watcher) note(r *kgo.Record) {
	var kind, at string
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_type":
			kind = string(h.Value)
		case "ce_time":
			at = string(h.Value)
		}
	}
	n, known := stepOf[kind]
	if !known {
		w.failed++
		return
	}
	s := w.sagas[string(r.Key)]
	if s == nil {
		s = &saga{}
		w.sagas[string(r.Key)] = s
	}
	if !s[n].published.IsZero() {
		return // a copy
	}
	arrived, _ := time.Parse(time.RFC3339Nano, at) // the services' own headers
	s[n] = moment{arrived, r.Timestamp}
	if (n == stockCommitted || n == paymentCaptured) && !s.completed().IsZero() {
		w.completed++
	}
}

// count returns how many sagas have completed, and how many events told of another way.
func (w *watcher) count() (completed, failed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.completed, w.failed
}

// find returns copies of the sagas of orders; the zero saga for one not seen.
func (w *watcher) find(orders []placed) []saga {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := make([]saga, len(orders))
	for i, o := range orders {
		if s := w.sagas[o.id]; s != nil {
			found[i] = *s
		}
	}
	return found
}
