package order_test

import (
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// tb is what *testing.T and *rapid.T share.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

// world is a book with all that ever happened in it, as it would be stored.
type world struct {
	book *order.Book
	log  map[string][]stored
}

type stored struct {
	eventType string
	data      []byte
}

func newWorld() *world { return &world{book: &order.Book{}, log: make(map[string][]stored)} }

func (w *world) clone() *world {
	c := &world{book: cloneBook(w.book), log: make(map[string][]stored, len(w.log))}
	for id, events := range w.log {
		c.log[id] = slices.Clone(events)
	}
	return c
}

func cloneBook(b *order.Book) *order.Book {
	c := &order.Book{Catalogue: maps.Clone(b.Catalogue)}
	if b.Orders != nil {
		c.Orders = make(map[string]*order.Order, len(b.Orders))
	}
	for id, o := range b.Orders {
		copied := *o
		copied.Lines = slices.Clone(o.Lines)
		c.Orders[id] = &copied
	}
	return c
}

// step decides one message and checks all that must hold of every step, whatever the message.
func (w *world) step(t tb, m order.Message) ([]order.Event, error) {
	t.Helper()
	before, rerun := cloneBook(w.book), cloneBook(w.book)
	events, err := m.Decide(w.book)
	if err != nil {
		if len(events) > 0 {
			t.Fatalf("%#v: events %v beside the error %v", m, events, err)
		}
		if diff := cmp.Diff(before, w.book); diff != "" {
			t.Fatalf("%#v: the error %v left a change (-before +after):\n%s", m, err, diff)
		}
		return nil, err
	}
	again, _ := m.Decide(rerun)
	if diff := cmp.Diff([]any{events, w.book}, []any{again, rerun}); diff != "" {
		t.Fatalf("%#v: a rerun decides otherwise:\n%s", m, diff)
	}
	w.checkStreams(t, before, m, events)
	w.checkFold(t, events)
	for _, o := range w.book.Orders {
		checkOrder(t, o)
	}
	return events, nil
}

// checkStreams: versions have no gaps, times never decrease, nothing changes without an event, nor what the message
// did not ask to load.
func (w *world) checkStreams(t tb, before *order.Book, m order.Message, events []order.Event) {
	t.Helper()
	version, updated := make(map[string]int64), make(map[string]time.Time)
	for id, o := range before.Orders {
		version[id], updated[id] = o.Version, o.UpdatedAt
	}
	for _, e := range events {
		head := e.Header()
		if !slices.Contains(m.Needs().Orders, head.OrderID) {
			t.Fatalf("%#v: event %#v of an order that it does not need", m, e)
		}
		if head.Version != version[head.OrderID]+1 {
			t.Fatalf("%#v: event %#v follows version %d", m, e, version[head.OrderID])
		}
		if head.At.IsZero() || head.At.Before(updated[head.OrderID]) {
			t.Fatalf("%#v: event %#v follows one at %v", m, e, updated[head.OrderID])
		}
		version[head.OrderID], updated[head.OrderID] = head.Version, head.At
	}
	for id, o := range w.book.Orders {
		if o.Version != version[id] {
			t.Fatalf("%#v: order %s has version %d, its last event %d", m, id, o.Version, version[id])
		}
		if old := before.Orders[id]; old != nil && old.Version == o.Version && !cmp.Equal(old, o) {
			t.Fatalf("%#v: order %s changed without an event:\n%s", m, id, cmp.Diff(old, o))
		}
		if old := before.Orders[id]; old != nil && old.Stored != o.Stored || old == nil && o.Stored != 0 {
			t.Fatalf("%#v: touched Stored of order %s", m, id)
		}
	}
	for sku, p := range w.book.Catalogue {
		if !cmp.Equal(before.Catalogue[sku], p) && (!slices.Contains(m.Needs().SKUs, sku) || !p.Changed) {
			t.Fatalf("%#v: changed product %s, not needed or not marked: %+v", m, sku, p)
		}
	}
}

// checkFold: what is stored, read back and folded, is the state, and so is what is encoded of it and read back.
func (w *world) checkFold(t tb, events []order.Event) {
	t.Helper()
	for _, e := range events {
		data, err := order.Encode(e)
		if err != nil {
			t.Fatalf("%v", err)
		}
		id := e.Header().OrderID
		w.log[id] = append(w.log[id], stored{e.Type(), data})
	}
	for id, o := range w.book.Orders {
		folded := &order.Order{}
		var all []order.Event
		for _, s := range w.log[id] {
			e, err := order.Decode(s.eventType, s.data)
			if err != nil {
				t.Fatalf("%v", err)
			}
			folded.Apply(e)
			all = append(all, e)
		}
		checkEncoded(t, o, all[0])
		if actors := order.Actors(all); slices.Contains(actors, order.Actor{}) {
			t.Fatalf("nobody made an event of %+v happen: %+v", all, actors)
		}
		if diff := cmp.Diff(folded, o, bookkeeping); diff != "" {
			t.Fatalf("the stored events fold to another state (-folded +decided):\n%s", diff)
		}
	}
}

func checkEncoded(t tb, o *order.Order, placed order.Event) {
	t.Helper()
	state, err := order.EncodeState(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	decoded, err := order.DecodeState(state)
	if diff := cmp.Diff(o, decoded, bookkeeping); err != nil || diff != "" {
		t.Fatalf("decoded: %v (-encoded +decoded):\n%s", err, diff)
	}
	progress, err := order.EncodeProgress(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	restored, err := order.Restore(placed, o.Status, o.Version, progress)
	if diff := cmp.Diff(o, restored, bookkeeping); err != nil || diff != "" {
		t.Fatalf("restored: %v (-encoded +restored):\n%s", err, diff)
	}
}

// checkOrder: what must hold of an order at any moment.
func checkOrder(t tb, o *order.Order) {
	t.Helper()
	var total int64
	for _, l := range o.Lines {
		total += l.Quantity * l.UnitPrice
	}
	waiting := o.WaitingFor()
	cancelled := o.Status == order.StatusCancelled
	switch {
	case total != o.Total:
		t.Fatalf("the lines sum up to %d: %+v", total, o)
	case cancelled != (o.Reason != ""), cancelled == o.CancelledAt.IsZero():
		t.Fatalf("status contradicts the cancellation: %+v", o)
	case o.Status == order.StatusPending && (len(waiting) == 0 || !o.ConfirmedAt.IsZero()):
		t.Fatalf("a pending order waits for nothing or was confirmed: %+v", o)
	case o.Status == order.StatusConfirmed && (o.ConfirmedAt.IsZero() || o.Stock.Reserved.IsZero() ||
		o.Payment.Authorized.IsZero()):
		t.Fatalf("confirmed too early: %+v", o)
	case o.Completed() != (o.Status != order.StatusPending && len(waiting) == 0):
		t.Fatalf("completed, but waits for %v: %+v", waiting, o)
	case len(o.Steps()) != 2:
		t.Fatalf("steps: %+v", o.Steps())
	}
}
