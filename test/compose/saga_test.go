//go:build compose

package compose

import (
	"context"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// crowd is how many orders a rush has. Every third pays by a card that takes two seconds.
const crowd = 30

// order places an order for a sample and returns its id.
func (s *stack) order(t *testing.T, card string) string {
	t.Helper()
	placed, err := s.Place(t.Context(), client.Buy(card, client.Line{SKU: "tea-001", Quantity: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return placed.ID
}

// rush places the orders of a crowd at the same time.
func (s *stack) rush(t *testing.T) []string {
	t.Helper()
	ids := make([]string, crowd)
	var g errgroup.Group
	for i := range ids {
		card := "tok_visa"
		if i%3 == 0 {
			card = "tok_slow"
		}
		g.Go(func() error {
			placed, err := s.Place(t.Context(), client.Buy(card, client.Line{SKU: "tea-001", Quantity: 1}))
			ids[i] = placed.ID
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// underWay counts the sagas that have not ended. There must be some, or nothing is shown by what follows.
func (s *stack) underWay(t *testing.T, ids []string) (n int) {
	t.Helper()
	for _, id := range ids {
		o, err := s.Order(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !o.Completed {
			n++
		}
	}
	if n == 0 {
		t.Fatalf("all %d sagas had ended", len(ids))
	}
	return n
}

// confirmed waits until the sagas have ended, well.
func (s *stack) confirmed(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		s.until(t, "the end of a saga", func(ctx context.Context) error {
			o, err := s.Order(ctx, id)
			if err == nil && o.Completed && o.Status != "confirmed" {
				t.Fatalf("order %s is %s: %s", id, o.Status, o.Reason)
			}
			if err != nil {
				return err
			}
			return o.Ended()
		})
	}
}

// holds lets the checker judge all that the platform has done so far.
func (s *stack) holds(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	state, err := checker.Settle(ctx, checker.Sources{Client: s.Client, Databases: s.databases(t)})
	if err != nil {
		t.Fatal(err)
	}
	if found := checker.Check(state); len(found) > 0 {
		t.Errorf("%d violations:\n%s", len(found), checker.Report(found, 30))
	}
	t.Logf("the checker has judged %d orders", len(state.Orders))
}

func (s *stack) until(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.Until(ctx, what, func() error { return try(ctx) }); err != nil {
		t.Fatal(err)
	}
}
