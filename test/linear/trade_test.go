package linear

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const (
	plenty = "plenty" // what is ordered under repeated keys; its stock is in no history
	price  = 100
	buyers = 4 // at a time, for each sku
)

// trade is what the clients do, and what they were answered.
type trade struct {
	*world
	stock, keys *History
	opened      int // keys that were used
	answered    atomic.Int64
}

func newTrade(w *world) *trade { return &trade{world: w, stock: NewHistory(), keys: NewHistory()} }

func (s *trade) open(sku string) error {
	quantity, called := int64(buyers), s.stock.Now()
	if sku == plenty {
		quantity = 1_000_000
	}
	if err := s.Stock(s.ctx, sku, client.Money{Amount: price, Currency: "EUR"}, quantity); err != nil {
		return err
	}
	s.stock.Add(0, called, Stock{Kind: Restock, SKU: sku, Quantity: quantity}, nil)
	return nil
}

// buy places orders one after another and looks at the stock in between. Some are declined, some taken back.
func (s *trade) buy(sku string, buyer, orders int) error {
	for n := range orders {
		number := buyer*orders + n
		one := func(kind Kind) Stock {
			return Stock{Kind: kind, SKU: sku, Order: number, Quantity: 1 + int64(number%2)}
		}
		token := "tok_visa"
		if number%4 == 3 {
			token = "tok_declined"
		}
		s.look(sku, buyer)
		called := s.stock.Now()
		o, err := s.place(fmt.Sprintf("%s/%d", sku, number), token, sku, one(Reserve).Quantity)
		if err != nil {
			return err
		}
		s.look(sku, buyer)
		if o, err = s.decided(o.ID); err != nil {
			return err
		}
		held := o.Reason != "out_of_stock"
		if held && o.Reason != "" && o.Reason != "payment_declined" {
			return fmt.Errorf("order %s is cancelled: %s", o.ID, o.Reason)
		}
		s.stock.Add(buyer, called, one(Reserve), Held(held))
		s.look(sku, buyer)
		if held {
			if err := s.end(o.ID, buyer, called, one); err != nil {
				return err
			}
		}
		s.look(sku, buyer)
		if !held || rand.IntN(3) == 0 {
			if err := s.restock(sku, buyer, 1+rand.Int64N(3), rand.IntN(2) == 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// end waits for the end of an order's saga, and takes some back.
func (s *trade) end(id string, buyer int, called int64, one func(Kind) Stock) error {
	o, err := s.ended(id)
	if err != nil {
		return err
	}
	if o.Status == "cancelled" {
		s.stock.Add(buyer, called, one(Release), nil)
		return nil
	}
	s.stock.Add(buyer, called, one(Sell), nil)
	if rand.IntN(3) > 0 {
		return nil
	}
	called = s.stock.Now()
	if err := s.until("a cancellation", func(at *client.Client) error {
		_, err := at.Cancel(s.ctx, id, "changed my mind")
		return err
	}); err != nil {
		return err
	}
	if _, err := s.ended(id); err != nil {
		return err
	}
	s.stock.Add(buyer, called, one(Release), nil)
	return nil
}

// place repeats itself under one key until it is answered.
func (s *trade) place(key, token, sku string, quantity int64) (o client.Order, err error) {
	err = s.until("an order", func(at *client.Client) (err error) {
		o, err = at.With("Idempotency-Key", key).Place(s.ctx, client.Buy(token, client.Line{SKU: sku, Quantity: quantity}))
		return err
	})
	return o, err
}

// decided waits until an order is no longer pending.
func (s *trade) decided(id string) (o client.Order, err error) {
	err = s.until("a decision", func(at *client.Client) (err error) {
		if o, err = at.Decided(s.ctx, id); err == nil && o.Status == "pending" {
			err = fmt.Errorf("order %s is pending", id)
		}
		return err
	})
	return o, err
}

// ended waits until the saga of an order has ended.
func (s *trade) ended(id string) (o client.Order, err error) {
	err = s.until("the end of a saga", func(at *client.Client) (err error) {
		if o, err = at.Order(s.ctx, id); err != nil {
			return err
		}
		return o.Ended()
	})
	return o, err
}

// look reads the levels; a read that fails has told nothing.
func (s *trade) look(sku string, client int) {
	called := s.stock.Now()
	if l, err := s.any().Levels(s.ctx, sku); err == nil {
		s.stock.Add(client, called, Stock{Kind: Read, SKU: sku}, Levels(l))
	}
}

// restock adds to the stock. An outcome that is not known stays so, unless it is asked for until it is answered. A
// refusal is an error: nothing here gives cause for one.
func (s *trade) restock(sku string, by int, quantity int64, persistent bool) error {
	called := s.stock.Now()
	key := fmt.Sprintf("%s/%d/%d", sku, by, called)
	try := func(at *client.Client) error {
		url := "http://" + at.Services["inventory"] + "/v1/products/" + sku + "/restocks"
		body := map[string]int64{"quantity": quantity}
		_, err := at.With("Idempotency-Key", key).Call(s.ctx, http.MethodPost, url, body, nil)
		return err
	}
	err := try(s.any())
	if isUnknown(err) && persistent {
		waited := s.until("a restock", func(at *client.Client) error {
			if err = try(at); isUnknown(err) {
				return err
			}
			return nil
		})
		if waited != nil {
			return waited
		}
	}
	input := Stock{Kind: Restock, SKU: sku, Quantity: quantity}
	switch {
	case err == nil:
		s.stock.Add(by, called, input, nil)
	case isUnknown(err):
		s.stock.AddUnknown(by, called, input, nil)
	default:
		return fmt.Errorf("G4: restock of %s: %w", sku, err)
	}
	return s.ctx.Err()
}

// isUnknown is true of an error that says nothing of whether something was done: there was no answer, or a 503, which
// may come from a command whose batch has begun.
func isUnknown(err error) bool {
	status := client.StatusOf(err)
	return err != nil && (status == 0 || status == http.StatusServiceUnavailable)
}
