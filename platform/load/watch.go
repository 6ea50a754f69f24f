package load

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Watcher reads the services' topics, so that watching costs the services nothing but a fetch.
type Watcher struct {
	client *kgo.Client
	reason func(context.Context, *kgo.Record) string

	mu        sync.Mutex
	sagas     map[string]*Saga
	completed int
	strayed   int
}

// Watch returns a Watcher of what is published from now on. Reason tells that of a cancellation from its record; nil
// leaves it open. Run must be called, and ends it.
func Watch(ctx context.Context, kafka string, reason func(context.Context, *kgo.Record) string) (*Watcher, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka), kgo.ClientID("quadrille-load"), kgo.DisableClientMetrics(),
		kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("kafka client for %s: %w", kafka, err)
	}
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, "order.events", "inventory.events", "payment.events")
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("find the ends of the topics at %s: %w", kafka, err)
	}
	client.AddConsumePartitions(ends.KOffsets())
	return &Watcher{client: client, reason: reason, sagas: make(map[string]*Saga)}, nil
}

// Run reads until ctx ends.
func (w *Watcher) Run(ctx context.Context) error {
	defer w.client.Close()
	for {
		fetches := w.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("watch the topics: %w", err)
		}
		w.take(ctx, fetches.Records())
	}
}

// Count returns how many sagas have completed, and how many events told of an order that was not confirmed.
func (w *Watcher) Count() (completed, strayed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.completed, w.strayed
}

// Find returns copies of the sagas of orders; the zero Saga for one not seen.
func (w *Watcher) Find(orders []Accepted) []Saga {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := make([]Saga, len(orders))
	for i, o := range orders {
		if s := w.sagas[o.ID]; s != nil {
			found[i] = *s
		}
	}
	return found
}

// Forget the saga of an order that nobody asks for any more.
func (w *Watcher) Forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.sagas, id)
}

func (w *Watcher) take(ctx context.Context, records []*kgo.Record) {
	for _, r := range records {
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
		reason := ""
		if known && n == OrderCancelled && w.reason != nil {
			reason = w.reason(ctx, r) // may ask the registry, so outside the lock
		}
		arrived, _ := time.Parse(time.RFC3339Nano, at) // the services' own headers
		w.note(string(r.Key), n, known, Moment{arrived, r.Timestamp}, reason)
	}
}

func (w *Watcher) note(order string, n Step, known bool, m Moment, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !known || n >= Confirmed {
		w.strayed++
	}
	if !known {
		return
	}
	s := w.sagas[order]
	if s == nil {
		s = &Saga{}
		w.sagas[order] = s
	}
	if !s.At[n].Published.IsZero() {
		return // a copy
	}
	before := s.Completed()
	s.At[n] = m
	if reason != "" {
		s.Reason = reason
	}
	if before.IsZero() && !s.Completed().IsZero() {
		w.completed++
	}
}
