package linear

import (
	"fmt"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"golang.org/x/sync/errgroup"
)

// decideWithin bounds the search for an order of a history, which takes a few milliseconds as a rule.
const decideWithin = 30 * time.Second

// TestStockAndIdempotencyKeysAreLinearizable lets clients of two replicas buy, restock, look and repeat themselves
// while replicas are killed.
func TestStockAndIdempotencyKeysAreLinearizable(t *testing.T) {
	skus, orders, rounds := []string{"scarce-1", "scarce-2", "scarce-3"}, 5, 4
	if testing.Short() {
		skus, orders, rounds = skus[:2], 2, 2
	}
	s := newTrade(newWorld(t))
	for _, sku := range append(skus, plenty) {
		if err := s.open(sku); err != nil {
			t.Fatal(err)
		}
	}
	var all errgroup.Group
	for _, sku := range skus {
		for buyer := range buyers {
			all.Go(func() error { return s.buy(sku, buyer, orders) })
		}
	}
	all.Go(func() error {
		for round := range rounds {
			if err := s.rush(fmt.Sprintf("heap-%d", round)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := s.settleKeys(); err != nil {
		t.Error(err)
	}
	for round := range rounds {
		s.look(fmt.Sprintf("heap-%d", round), 0)
	}
	unknown := check(t, "G4: the stock", StockModel(buyers*orders), s.stock)
	unknown += check(t, "G2: the Idempotency-Keys", KeyModel(), s.keys)
	if unknown == 0 && !testing.Short() {
		t.Error("no kill has cut a request off: the test tested less than it should")
	}
}

// check searches for an order of a history, shows the parts that have none, and counts the operations whose outcome is
// unknown.
func check(t *testing.T, what string, model porcupine.Model, h *History) (unknown int) {
	t.Helper()
	began := time.Now()
	for _, part := range model.Partition(h.Operations()) {
		for _, o := range part {
			if o.Return == never {
				unknown++
			}
		}
		if result := porcupine.CheckOperationsTimeout(model, part, decideWithin); result != porcupine.Ok {
			t.Errorf("%s: no order of what was answered explains it (%s)", what, result)
			for _, o := range part {
				t.Logf("%d–%d µs client %d: %s", o.Call/1e3, o.Return/1e3, o.ClientId,
					model.DescribeOperation(o.Input, o.Output))
			}
		}
	}
	t.Logf("%s: %d operations, %d with unknown outcome, checked in %s", what, len(h.Operations()), unknown,
		time.Since(began).Round(time.Millisecond))
	return unknown
}
