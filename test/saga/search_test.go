package saga

import (
	"slices"
	"testing"

	"github.com/quadrille-platform/quadrille/services/order"
)

// Every interleaving of the messages of one order, each also with every single message repeated at every later place,
// leads to one of the ends that the saga may have, and there G4 and G5 hold. Nothing is recovered: a panic fails.
func TestEveryInterleavingOfASagaEndsWell(t *testing.T) {
	tests := []struct {
		name          string
		method        string
		items         []order.Item
		cancel, timer bool
		ends          []string
	}{
		{"confirmed", "tok_visa", items("tea", 2, "cup", 1), false, false, []string{"confirmed "}},
		{"out of stock", "tok_visa", items("tea", 2, "cup", 9), false, false, []string{"cancelled out_of_stock"}},
		{"declined", "tok_declined", items("tea", 1), false, false, []string{"cancelled payment_declined"}},
		{"capture refused", "tok_capture_declined", items("tea", 1), false, false, []string{"cancelled payment_failed"}},
		{"cancelled by the customer at any time", "tok_visa", items("tea", 1), true, false,
			[]string{"cancelled customer_request"}},
		{"timed out or confirmed first", "tok_visa", items("tea", 1), false, true,
			[]string{"cancelled timed_out", "confirmed "}},
		{"declined, cancelled and timed out race", "tok_declined", items("tea", 1), true, true,
			[]string{"cancelled customer_request", "cancelled payment_declined", "cancelled timed_out"}},
		{"a refund refused for good is settled by hand", "tok_refund_declined", items("tea", 1), true, false,
			[]string{"cancelled customer_request"}},
		{"a void refused for good is settled by hand", "tok_cancel_declined", items("tea", 1), false, false,
			[]string{"cancelled payment_failed"}},
		{"a refused capture and the customer race", "tok_capture_declined", items("tea", 1), true, false,
			[]string{"cancelled customer_request", "cancelled payment_failed"}},
	}
	if testing.Short() {
		tests = tests[:4] // the others search thousands of states
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			stock(t, w, "tea", 100, 5)
			stock(t, w, "cup", 250, 3)
			published, err := w.order.Place("o-1", tt.items, tt.method, now)
			if err != nil {
				t.Fatal(err)
			}
			w.publish(published)
			if tt.cancel {
				w.pending = append(w.pending, message{To: order.Name, Kind: "cancel", Order: "o-1"})
			}
			if tt.timer {
				w.pending = append(w.pending, message{To: order.Name, Kind: "timeout", Order: "o-1"})
			}
			s := search{seen: make(map[string]bool), ends: make(map[string]bool), mails: make(mailsKnown)}
			s.from(t, w)
			var ends []string
			for end := range s.ends {
				ends = append(ends, end)
			}
			slices.Sort(ends)
			if !slices.Equal(ends, tt.ends) {
				t.Errorf("ends %q, want %q", ends, tt.ends)
			}
			t.Logf("%d states, %d ends for notification", len(s.seen), len(s.mails))
		})
	}
}

func items(pairs ...any) []order.Item {
	var items []order.Item
	for i := 0; i < len(pairs); i += 2 {
		items = append(items, order.Item{SKU: pairs[i].(string), Quantity: int64(pairs[i+1].(int))})
	}
	return items
}

// stock tells order of the product at once: how it learns of products is another matter.
func stock(t *testing.T, w *world, sku string, price, quantity int64) {
	t.Helper()
	published, err := w.inventory.Put(sku, price, quantity, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range published {
		if _, err := w.order.Handle(e, now); err != nil {
			t.Fatal(err)
		}
	}
}

type search struct {
	seen map[string]bool
	ends map[string]bool
	// mails are searched at the end of each path.
	mails mailsKnown
}

func (s *search) from(t *testing.T, w *world) {
	key, err := w.key()
	if err != nil {
		t.Fatal(err)
	}
	if s.seen[key] {
		return
	}
	s.seen[key] = true
	checkStock(t, w)
	if len(w.pending) == 0 {
		s.ends[checkEnd(t, w, "o-1")] = true
		s.mails.check(t, w, "o-1")
		checkRest(t, w)
	}
	for i, m := range w.pending {
		next := s.clone(t, w)
		next.pending = slices.Delete(next.pending, i, i+1)
		next.delivered = append(next.delivered, m)
		if err := next.deliver(m); err != nil {
			t.Fatalf("after %v: %v", ids(w.delivered), err)
		}
		s.from(t, next)
	}
	if w.repeated {
		return
	}
	for _, m := range w.delivered {
		next := s.clone(t, w)
		next.repeated = true
		before := len(next.pending)
		if err := next.deliver(m); err != nil {
			t.Fatalf("repeated after %v: %v", ids(w.delivered), err)
		}
		if len(next.pending) != before {
			t.Fatalf("%s repeated led to %s", m.id(), next.pending[len(next.pending)-1].id())
		}
		s.from(t, next)
	}
}

func (s *search) clone(t *testing.T, w *world) *world {
	c, err := w.clone()
	if err != nil {
		t.Fatal(err)
	}
	return c
}
