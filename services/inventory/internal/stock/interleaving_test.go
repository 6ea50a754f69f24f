package stock_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// Every permutation of an order's messages, and each with every single message repeated at every later place, leads to
// the same end.
func TestEveryInterleavingLeadsToTheSameEnd(t *testing.T) {
	short := stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 1}, {"cup", 3}}}
	shortLast := stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"cup", 1}, {"tea", 100}}}
	unknown := stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 1}, {"pot", 3}}}
	tests := []struct {
		messages []stock.Message
		status   stock.Status
		released int
	}{
		{[]stock.Message{placed}, stock.StatusReserved, 0},
		{[]stock.Message{placed, confirmed}, stock.StatusCommitted, 0},
		{[]stock.Message{placed, cancelled}, stock.StatusReleased, 1},
		{[]stock.Message{confirmed, cancelled}, stock.StatusReleased, 1},
		{[]stock.Message{placed, confirmed, cancelled}, stock.StatusReleased, 1},
		{[]stock.Message{short, confirmed}, stock.StatusFailed, 0},
		{[]stock.Message{shortLast, confirmed}, stock.StatusFailed, 0},
		{[]stock.Message{short, confirmed, cancelled}, stock.StatusReleased, 1},
		{[]stock.Message{unknown, confirmed, cancelled}, stock.StatusReleased, 1},
	}
	for _, tt := range tests {
		var want *stock.Stock
		for _, sequence := range interleavings(tt.messages) {
			s := &stock.Stock{}
			for _, m := range stocked {
				if _, err := step(t, s, m); err != nil {
					t.Fatal(err)
				}
			}
			released := 0
			for _, m := range sequence {
				events, err := step(t, s, m)
				if err != nil {
					t.Fatalf("%s: %v", names(sequence), err)
				}
				for _, e := range events {
					if _, ok := e.(stock.Released); ok {
						released++
					}
				}
			}
			if got := s.Reservations["o1"].Status; got != tt.status || released != tt.released {
				t.Fatalf("G6: not the one end:%s ended %s with %d releases, want %s with %d", names(sequence), got, released,
					tt.status, tt.released)
			}
			if want == nil {
				want = s
			}
			// How many steps it took, and when the last was, is all that may differ.
			ignore := cmp.Options{
				cmpopts.IgnoreFields(stock.Reservation{}, "Version", "UpdatedAt"),
				cmpopts.IgnoreFields(stock.Product{}, "Version", "UpdatedAt"),
			}
			if diff := cmp.Diff(want, s, ignore); diff != "" {
				t.Fatalf("G6: not the one end:%s ended otherwise than the first sequence (-first +this):\n%s", names(sequence), diff)
			}
		}
	}
}

func interleavings(messages []stock.Message) [][]stock.Message {
	var all [][]stock.Message
	for _, p := range permutations(messages) {
		all = append(all, p)
		for i := range p {
			for j := i + 1; j <= len(p); j++ {
				repeated := append(append(append([]stock.Message{}, p[:j]...), p[i]), p[j:]...)
				all = append(all, repeated)
			}
		}
	}
	return all
}

func permutations(messages []stock.Message) [][]stock.Message {
	if len(messages) == 0 {
		return [][]stock.Message{nil}
	}
	var all [][]stock.Message
	for i, m := range messages {
		rest := append(append([]stock.Message{}, messages[:i]...), messages[i+1:]...)
		for _, p := range permutations(rest) {
			all = append(all, append([]stock.Message{m}, p...))
		}
	}
	return all
}

func names(messages []stock.Message) string {
	var s string
	for _, m := range messages {
		s += fmt.Sprintf(" %T", m)
	}
	return s
}
