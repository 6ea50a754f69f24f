package sim

import (
	"context"
	"net/http"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// listed is how many letters an operator looks at.
const listed = 50

// operate is an operator who looks at the letters of all services now and then, redrives some and discards others.
func operate(w *World, f Fault) {
	w.hit(f.Kind)
	for end := time.Now().Add(f.For); time.Now().Before(end) && !w.healed(); w.sleep(stroke) {
		w.rule(w.ctx, f.Rate)
		w.settleByHand(w.ctx, f.Rate)
	}
}

// settleByHand settles a share of the sagas that have not ended; payment refuses those that are not stuck.
func (w *World) settleByHand(ctx context.Context, share float64) {
	orders, payments := w.anyOf(order.Name), w.anyOf(payment.Name)
	if orders == nil || payments == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	c := client.NewOver(w.operators, client.Addresses{
		Admin: map[string]string{order.Name: orders.admin, payment.Name: payments.admin},
	})
	waiting, err := c.Sagas(ctx, "1s")
	if err != nil {
		return
	}
	for _, saga := range waiting {
		if !w.chance(share) {
			continue
		}
		_, err := c.Settle(ctx, saga.OrderID, "olga", "paid back in cash", "settle-"+saga.OrderID)
		w.log("an operator settles %s: %v", saga.OrderID, err)
		if err == nil {
			w.hit("a saga is settled by hand")
		}
	}
}

// clearUp discards what is dead until nothing is, or ctx ends.
func (w *World) clearUp(ctx context.Context) {
	for ctx.Err() == nil {
		w.rule(ctx, 0.1)
		w.settleByHand(ctx, 0.5)
		time.Sleep(2 * look)
	}
}

// rule looks at the letters of every service, and redrives a share of the dead ones and discards the others.
func (w *World) rule(ctx context.Context, redriven float64) {
	for _, service := range services {
		inc := w.anyOf(service)
		if inc == nil {
			continue
		}
		c := client.NewOver(w.operators, client.Addresses{Admin: map[string]string{service: inc.admin}})
		short, cancel := context.WithTimeout(ctx, time.Second)
		letters, _, err := c.DeadLetters(short, service, client.DeadLetterFilter{}, listed)
		if err == nil {
			for _, l := range letters {
				w.hit("letter: " + l.Class)
				w.hit("letter " + l.State)
				if !l.Head || l.State != "dead" {
					continue
				}
				action := client.Discard
				if w.chance(redriven) {
					action = client.Redrive
				}
				_, err := c.Rule(short, service, l.ID, action, "olga", "seen to by the simulation")
				w.log("an operator says %s to letter %d of %s (%s of %s): %v",
					action, l.ID, service, l.Class, l.Key, err)
				switch {
				case err == nil:
					w.hit("letter: " + action)
				case client.StatusOf(err) == http.StatusConflict:
					w.hit("letter moved meanwhile")
				}
			}
		}
		cancel()
	}
}
