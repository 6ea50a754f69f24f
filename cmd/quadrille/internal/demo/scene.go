package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// price of everything that steps put on sale.
var price = client.Money{Amount: 500, Currency: "EUR"}

// scene is where a step happens. Its methods end the step at the first thing that does not hold, as those of testing.T
// do; only the goroutine of the step may call them.
type scene struct {
	*client.Client
	ctx context.Context
	// site is nil on a platform that was running already.
	site *site
	tape *tape
	// step is the name of the step, trace the id of the trace to which all of its requests belong.
	step, trace string

	seen []string
	err  error
	// again are the checks that still hold when the other steps of the ground are over, and stock those of the products
	// by their sku.
	again []func() error
	stock map[string]func() error
}

func newScene(ctx context.Context, step string, c *client.Client, on *site, t *tape) *scene {
	s := &scene{
		ctx: ctx, site: on, tape: t, step: step, trace: hexadecimal(16), stock: make(map[string]func() error),
	}
	s.meet(c)
	return s
}

// meet has the scene's requests go to a platform, as parts of its trace.
func (s *scene) meet(c *client.Client) {
	s.Client = c.With("traceparent", "00-"+s.trace+"-"+hexadecimal(8)+"-01")
}

func hexadecimal(size int) string {
	random := make([]byte, size)
	_, _ = rand.Read(random) // never fails
	return hex.EncodeToString(random)
}

// play runs a step and returns what did not hold. It waits for the step's end.
func (s *scene) play(run func(*scene)) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(s)
	}()
	<-ended
	return s.err
}

// check ends the step with err, unless it is nil.
func (s *scene) check(err error) {
	if err != nil {
		s.err = err
		runtime.Goexit()
	}
}

// fail ends the step.
func (s *scene) fail(format string, args ...any) { s.check(fmt.Errorf(format, args...)) }

// saw notes what happened, for the table.
func (s *scene) saw(format string, args ...any) {
	s.seen = append(s.seen, fmt.Sprintf(format, args...))
}

// notes are all that was seen.
func (s *scene) notes() string { return strings.Join(s.seen, "; ") }

// until waits for a condition.
func (s *scene) until(what string, try func() error) { s.check(client.Until(s.ctx, what, try)) }

// stocked puts a product of this step's own on sale and returns its sku.
func (s *scene) stocked(quantity int64) string {
	sku := "demo-" + s.step + "-" + strings.ToLower(rand.Text()[:6])
	s.check(s.Stock(s.ctx, sku, price, quantity))
	return sku
}

// place places an order of one product.
func (s *scene) place(token, sku string, quantity int64) client.Order {
	o, err := s.Place(s.ctx, client.Buy(token, client.Line{SKU: sku, Quantity: quantity}))
	s.check(err)
	if o.Status != "pending" {
		s.fail("a placed order is %s", o.Status)
	}
	return o
}

// placeAll places orders at the same time and returns their ids.
func (s *scene) placeAll(bought ...client.Purchase) []string {
	ids, errs := make([]string, len(bought)), make([]error, len(bought))
	var all sync.WaitGroup
	for i, purchase := range bought {
		all.Go(func() {
			o, err := s.Place(s.ctx, purchase)
			ids[i], errs[i] = o.ID, err
		})
	}
	all.Wait()
	s.check(firstOf(errs...))
	return ids
}

// one buys one unit with a card that works.
func one(sku string) client.Purchase {
	return client.Buy("tok_visa", client.Line{SKU: sku, Quantity: 1})
}

// levels checks the stock of a product of this step's own. What it said last holds on.
func (s *scene) levels(sku string, stocked, sold int64) {
	look := func() error {
		l, err := s.Levels(s.ctx, sku)
		return firstOf(err, conserved(l, stocked, sold))
	}
	s.stock[sku] = look
	s.check(look())
}

// still checks that what held at the end of the step holds now.
func (s *scene) still(ctx context.Context) error {
	s.ctx = ctx // that of the step is over
	for _, look := range slices.Concat(s.again, slices.Collect(maps.Values(s.stock))) {
		if err := look(); err != nil {
			return fmt.Errorf("seen later: %w", err)
		}
	}
	return nil
}
