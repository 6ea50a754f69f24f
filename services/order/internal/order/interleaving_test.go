package order_test

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Every permutation of an order's messages, each also with every single message repeated at every later place, leads to
// the same end. The sequences are searched as a graph: two that have delivered the same messages and reached the same
// state, but for versions and times, go on as one.
func TestEveryInterleavingLeadsToTheSameEnd(t *testing.T) {
	tests := []struct {
		name     string
		messages []order.Message
		// ends are all that may be reached: more than one only where the messages race.
		ends []string
	}{
		{"confirmed", []order.Message{place, reserved, authorized, committed, captured},
			[]string{"confirmed () committed captured"}},
		{"out of stock", []order.Message{place, failed, released, voided},
			[]string{"cancelled (out_of_stock) released voided"}},
		{"declined", []order.Message{place, reserved, declined, released, voided},
			[]string{"cancelled (payment_declined) released voided"}},
		{"capture failed", []order.Message{place, reserved, authorized, committed, captureFailed, released, voided},
			[]string{"cancelled (payment_failed) released voided"}},
		{"cancelled by the customer",
			[]order.Message{place, reserved, authorized, committed, captured, cancel, released, refunded},
			[]string{"cancelled (customer_request) released refunded"}},
		{"timed out or confirmed first",
			[]order.Message{place, reserved, authorized, committed, captured, timedOut, released, voided},
			[]string{"cancelled (timed_out) released voided", "confirmed () released voided"}},
		{"three failures race for the reason", []order.Message{place, failed, declined, timedOut, cancel, released, voided},
			[]string{
				"cancelled (customer_request) released voided", "cancelled (out_of_stock) released voided",
				"cancelled (payment_declined) released voided", "cancelled (timed_out) released voided",
			}},
		{"a failed capture, the customer and the clock race",
			[]order.Message{place, reserved, authorized, captureFailed, cancel, timedOut, released, voided},
			[]string{
				"cancelled (customer_request) released voided", "cancelled (payment_failed) released voided",
				"cancelled (timed_out) released voided",
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := search{messages: tt.messages, seen: make(map[node]bool)}
			s.from(t, given(t), node{})
			slices.Sort(s.ends)
			ends := slices.Compact(s.ends)
			if !slices.Equal(ends, tt.ends) {
				t.Errorf("ends %q, want %q", ends, tt.ends)
			}
			t.Logf("%d states", len(s.seen))
		})
	}
}

type search struct {
	messages []order.Message
	seen     map[node]bool
	ends     []string
}

// node is what the rest of a sequence depends on.
type node struct {
	delivered uint // the bits of the messages handled
	repeated  bool // one of them twice
	state     string
}

func (s *search) from(t *testing.T, w *world, n node) {
	o := w.book.Orders["o1"]
	n.state = state(o)
	if s.seen[n] {
		return
	}
	s.seen[n] = true
	if bits.OnesCount(n.delivered) == len(s.messages) && o.Completed() {
		steps := o.Steps()
		s.ends = append(s.ends, fmt.Sprintf("%s (%s) %s %s", o.Status, o.Reason, steps[0].Status, steps[1].Status))
	} else if bits.OnesCount(n.delivered) == len(s.messages) {
		t.Fatalf("all is said, but the order waits for %v: %s", o.WaitingFor(), n.state)
	}
	for i, m := range s.messages {
		bit := uint(1) << i
		next := node{delivered: n.delivered | bit, repeated: n.repeated}
		if n.delivered&bit != 0 {
			if n.repeated {
				continue
			}
			next.repeated = true
		}
		after := w.clone()
		events, err := after.step(t, m)
		switch _, placing := m.(order.Place); {
		case o == nil && !placing:
			// Cannot happen, for the others hear of an order from its OrderPlaced. Refused, it is not delivered.
			if !errors.Is(err, order.ErrUnknownOrder) {
				t.Fatalf("%#v before the order: error = %v", m, err)
			}
			continue
		case o != nil && placing:
			if !errors.Is(err, order.ErrOrderExists) {
				t.Fatalf("%#v again: error = %v", m, err)
			}
		case err != nil:
			t.Fatalf("%#v: %v", m, err)
		case n.delivered&bit != 0 && len(events) > 0:
			t.Fatalf("%#v repeated led to %v", m, events)
		}
		s.from(t, after, next)
	}
}

// state is an order without versions and times.
func state(o *order.Order) string {
	if o == nil {
		return ""
	}
	s, p := o.Stock, o.Payment
	return fmt.Sprint(o.Status, o.Reason, o.Detail, s.Reserved.IsZero(), s.Failed.IsZero(), s.Committed.IsZero(),
		s.Released.IsZero(), p.Authorized.IsZero(), p.Declined.IsZero(), p.Captured.IsZero(), p.CaptureFailed.IsZero(),
		p.Voided.IsZero(), p.Refunded.IsZero(), p.SettledByHand, o.ConfirmedAt.IsZero())
}
