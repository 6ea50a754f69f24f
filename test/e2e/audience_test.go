package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/checker"
)

const (
	// plenty is a sku of which there is enough, scarce one that runs out.
	plenty, scarce = "plenty", "scarce"

	buyers = 6
	// a buyer waits for the decision about an order for this long before it buys on.
	decision = time.Second
)

// tokens by how often they are used.
var tokens = []string{
	"tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_flaky", "tok_declined", "tok_slow", "tok_timeout",
	"tok_capture_declined", "tok_refund_declined",
}

// audience places orders, cancels some, restocks and changes products, and spoils topics, whoever dies meanwhile. What
// got no answer it sends again under the same Idempotency-Key, until it is answered.
type audience struct {
	recorder *checker.Recorder
	poison   *poisoner
	clients  func() *client.Client // one of the replicas of order and inventory
	seed     uint64
	orders   atomic.Int64
	// tame ones append nothing of a schema that only a registry can say is unknown.
	tame bool

	failed func(error)
	left   chan struct{}
	all    sync.WaitGroup
}

// newAudience returns one that has not entered yet. It tells failed what went wrong with the test itself.
func newAudience(x *troupe, seed uint64, failed func(error)) *audience {
	a := &audience{
		recorder: &checker.Recorder{}, poison: x.poison, seed: seed, tame: x.tame, failed: failed,
		left: make(chan struct{}),
	}
	everybody := client.NewOver(a.recorder, x.Addresses)
	a.clients = func() *client.Client {
		c := everybody
		for _, name := range []string{"order", "inventory"} {
			c = c.At(name, x.addr(place{name, rand.IntN(x.replicas())}, "HTTP_ADDR"))
		}
		return c
	}
	return a
}

// enter lets it buy until it is dismissed.
func (a *audience) enter(ctx context.Context) {
	for n := range buyers {
		a.all.Go(func() { a.buy(ctx, n, rand.New(rand.NewPCG(a.seed, uint64(n)))) })
	}
}

// dismiss lets everybody finish, however often they have to ask.
func (a *audience) dismiss() {
	close(a.left)
	a.all.Wait()
}

func (a *audience) buy(ctx context.Context, buyer int, random *rand.Rand) {
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-a.left:
			return
		default:
		}
		name := fmt.Sprintf("%d-%d-%d", a.seed, buyer, n)
		if random.IntN(10) == 0 {
			a.supply(ctx, name, n)
		}
		wanted := client.Buy(tokens[random.IntN(len(tokens))], client.Line{SKU: plenty, Quantity: 1 + random.Int64N(3)})
		wanted.CustomerID = name
		if random.IntN(5) == 0 {
			wanted.Lines = append(wanted.Lines, client.Line{SKU: scarce, Quantity: 1})
		}
		var o client.Order
		a.insist(ctx, func(c *client.Client) (err error) {
			o, err = c.With("Idempotency-Key", "buy-"+name).Place(ctx, wanted)
			return err
		})
		a.orders.Add(1)
		if random.IntN(15) == 0 {
			a.spoil(ctx, name, o.ID)
		}
		if random.IntN(2) == 0 {
			a.watch(ctx, o.ID)
		}
		if random.IntN(4) == 0 && o.ID != "" {
			a.insist(ctx, func(c *client.Client) error {
				_, err := c.With("Idempotency-Key", "cancel-"+name).Cancel(ctx, o.ID, "")
				return err
			})
		}
	}
}

// spoil appends what nobody can read, some of it about an order.
func (a *audience) spoil(ctx context.Context, name, orderID string) {
	for _, topic := range []string{"order.events", "inventory.events"} {
		err := a.poison.rubbish(ctx, topic, "rubbish-"+name)
		if !a.tame {
			err = errors.Join(err, a.poison.stranger(ctx, topic, orderID))
		}
		if err != nil {
			a.failed(err)
		}
	}
}

// supply restocks, and changes a product.
func (a *audience) supply(ctx context.Context, name string, n int) {
	a.insist(ctx, func(c *client.Client) error {
		address := "http://" + c.Services["inventory"] + "/v1/products/" + scarce
		_, err := c.With("Idempotency-Key", "restock-"+name).Call(ctx, "POST", address+"/restocks",
			map[string]any{"quantity": 1}, nil)
		return err
	})
	a.insist(ctx, func(c *client.Client) error {
		address := "http://" + c.Services["inventory"] + "/v1/products/" + plenty
		put := map[string]any{"name": fmt.Sprint("Number ", n), "price": client.Money{Amount: 100, Currency: "EUR"}}
		_, err := c.Call(ctx, "PUT", address, put, nil)
		return err
	})
}

// watch waits a while for an order to be decided.
func (a *audience) watch(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, decision)
	defer cancel()
	_, _ = a.clients().Decided(ctx, id) // it may be away
}

// insist asks until there is an answer that is no failure of the service, which is the answer.
func (a *audience) insist(ctx context.Context, ask func(*client.Client) error) {
	_ = client.Until(ctx, "an answer", func() error {
		err := ask(a.clients())
		if status := client.StatusOf(err); status >= 400 && status < 500 {
			return nil
		}
		return err
	})
}
