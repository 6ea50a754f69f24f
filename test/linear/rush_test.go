package linear

import (
	"fmt"
	"math/rand/v2"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const (
	customer   = "repeats-herself"
	senders    = 6 // at a time, for each key
	restockers = 4
	// sends of each sender and each restocker in a rush.
	sends = 8
)

// rush has many send at once, each under the keys of others too, and kills replicas in the middle of it. Others
// restock a heap that nobody buys.
func (s *trade) rush(heap string) error {
	if err := s.open(heap); err != nil {
		return err
	}
	var all errgroup.Group
	from := s.opened
	s.opened += sends
	for sender := range senders {
		all.Go(func() error {
			for n := range sends {
				if err := s.repeat(sender, from+n, 1+rand.Int64N(2)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for r := range restockers {
		all.Go(func() error {
			for range sends {
				if err := s.restock(heap, r, 1+rand.Int64N(3), false); err != nil {
					return err
				}
				s.look(heap, r)
			}
			return nil
		})
	}
	begun := s.answered.Load()
	for _, service := range []string{"order", "inventory"} {
		all.Go(func() error {
			if err := client.Until(s.ctx, "the middle of a rush", func() error {
				if n := s.answered.Load() - begun; n < senders {
					return fmt.Errorf("%d were answered", n)
				}
				return nil
			}); err != nil {
				return err
			}
			return s.kill(service)
		})
	}
	return all.Wait()
}

// repeat places an order under a key.
func (s *trade) repeat(sender, n int, quantity int64) error {
	input := Place{Key: fmt.Sprint(n), Quantity: quantity}
	wanted := client.Buy("tok_visa", client.Line{SKU: plenty, Quantity: quantity})
	wanted.CustomerID = customer
	at := s.any().With("Idempotency-Key", "repeated/"+input.Key)
	var o client.Order
	called := s.keys.Now()
	answer, err := at.Call(s.ctx, http.MethodPost, "http://"+at.Services["order"]+"/v1/orders", wanted, &o)
	switch status := client.StatusOf(err); {
	case err == nil:
		s.keys.Add(sender, called, input, Placed{answer.StatusCode, answer.Header.Get("Location"), o.Total.Amount / price})
	case status == http.StatusConflict:
		s.keys.Add(sender, called, input, Placed{Status: http.StatusConflict})
	case isUnknown(err):
		// net/http repeats by itself what has an Idempotency-Key: not even a refused connection says that nothing was
		// done.
		s.keys.AddUnknown(sender, called, input, nil)
	default:
		return fmt.Errorf("G2: key %s: %w", input.Key, err)
	}
	s.answered.Add(1)
	return s.ctx.Err()
}

// settleKeys sends each key's two bodies once more, one after the other, and counts the orders: there is one a key.
func (s *trade) settleKeys() error {
	for n := range s.opened {
		for quantity := range int64(2) {
			if err := s.repeat(0, n, quantity+1); err != nil {
				return err
			}
		}
	}
	var list struct {
		Items []client.Order `json:"items"`
	}
	address := "http://" + s.any().Services["order"] + "/v1/orders?limit=100&customer_id=" + customer
	if _, err := s.any().Call(s.ctx, http.MethodGet, address, nil, &list); err != nil {
		return err
	}
	if len(list.Items) != s.opened {
		return fmt.Errorf("G2: %d keys have made %d orders", s.opened, len(list.Items))
	}
	return nil
}
