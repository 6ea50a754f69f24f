package order

import (
	"slices"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

func TestSagasAreCountedByAgeAndByWhetherTheyAreStuck(t *testing.T) {
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	open := func(status order.Status, reached, orders int64, age time.Duration) store.Open {
		return store.Open{Status: status, Reached: reached, Orders: orders, Oldest: now.Add(-age)}
	}
	tests := []struct {
		name             string
		stuckAfter       time.Duration
		asked            []time.Duration
		found            []store.Open
		open             []int64
		pending, settled int64
		oldest           time.Duration
	}{
		{"none", time.Minute, []time.Duration{time.Minute, time.Minute, 10 * time.Minute, time.Hour}, nil,
			[]int64{0, 0, 0, 0}, 0, 0, 0},
		{"stuck between two ages", 5 * time.Minute, []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute, time.Hour},
			[]store.Open{
				open(order.StatusPending, 0, 1, -time.Second), open(order.StatusPending, 1, 2, 4*time.Minute),
				open(order.StatusPending, 2, 4, 6*time.Minute), open(order.StatusCancelled, 4, 8, 2*time.Hour),
			}, []int64{15, 14, 8, 8}, 4, 8, 2 * time.Hour},
		{"stuck at one of the ages", 10 * time.Minute, []time.Duration{time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour},
			[]store.Open{open(order.StatusPending, 1, 2, time.Minute), open(order.StatusPending, 3, 4, 10*time.Minute)},
			[]int64{6, 6, 4, 0}, 4, 0, 10 * time.Minute},
		{"stuck at once", 0, []time.Duration{0, time.Minute, 10 * time.Minute, time.Hour},
			[]store.Open{open(order.StatusPending, 0, 1, -time.Second), open(order.StatusPending, 2, 2, time.Minute)},
			[]int64{3, 2, 0, 0}, 3, 0, time.Minute},
	}
	for _, test := range tests {
		got := countSagas(test.found, test.asked, now, test.stuckAfter)
		if !slices.Equal(got.open, test.open) || got.stuck[order.StatusPending] != test.pending ||
			got.stuck[order.StatusCancelled] != test.settled || got.oldest != test.oldest {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}
