package demo

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// others is how many orders are placed beside one whose events are refused.
const others = 10

// parkedKey: inventory cannot handle an event of one order yet. That event and what comes later of its key wait in a
// queue, the rest goes on as fast as before; once the fault is mended the queue drains by itself, in order.
func parkedKey(s *scene) {
	tea := s.stocked(2*others + 1)
	before := s.pass(tea)
	held := s.refuse(tea, "")
	parked := s.queue(held, "OrderConfirmed")
	if parked[0].State != "parked" || parked[0].Class != "not_yet" {
		s.fail("what inventory is not to handle yet is %s", text(parked[0]))
	}
	_, err := s.tape.await(s.ctx, held, "PaymentCaptured")
	s.check(err)
	_, err = s.Cancel(s.ctx, held, "It takes too long")
	s.check(err)
	s.queue(held, "OrderConfirmed", "OrderCancelled")
	meanwhile := s.pass(tea)
	tried := int64(0)
	s.until("another try", func() error {
		head := s.queue(held, "OrderConfirmed", "OrderCancelled")[0]
		if tried = head.Attempts; tried < 2 || head.State != "parked" {
			return fmt.Errorf("it is %s after %d tries", head.State, tried)
		}
		return nil
	})

	s.mend()
	o := s.ends(held, cancelledAfter)
	s.lettersGone("inventory", held)
	s.check(inOrder(kinds(s.spoken(held)), "StockReserved", "StockCommitted", "StockReleased"))
	s.levels(tea, 2*others+1, 2*others)
	s.saw("2 events of one key parked, the first tried %d times; %d other orders took %d ms, before %d ms; "+
		"drained in order, version %d", tried, others, meanwhile.Milliseconds(), before.Milliseconds(), o.Version)
}

// redriven: an event that cannot be handled is dead and waits for an operator. Once the fault is mended it is redriven,
// and the saga goes on as if nothing had happened.
func redriven(s *scene) {
	tea := s.stocked(others + 1)
	held := s.refuse(tea, "dead:")
	dead := s.queue(held, "OrderConfirmed")[0]
	if dead.State != "dead" || dead.Class != "refused" || dead.Attempts != 1 || dead.RetryAt != nil {
		s.fail("what inventory refuses is %s, after %d tries", text(dead), dead.Attempts)
	}
	refused, err := s.tape.await(s.ctx, held, "OrderConfirmed")
	s.check(err)
	opened, err := s.DeadLetter(s.ctx, "inventory", dead.ID, true)
	s.check(firstOf(err, sameBytes(refused.raw, opened.Record)))
	s.until("the copy of a dead letter", func() error { return copyOf(refused.raw, "inventory", s.tape.copied()) })
	s.pass(tea)
	waiting, err := s.Order(s.ctx, held)
	s.check(err)
	if waiting.Completed {
		s.fail("the saga ended without inventory")
	}

	// The repair is noticed a moment later: until then what is redriven dies again.
	s.mend()
	redrives := 0
	s.until("the letter to be handled", func() error {
		opened, err := s.DeadLetter(s.ctx, "inventory", dead.ID, false)
		switch {
		case client.StatusOf(err) == 404:
			return nil
		case err == nil && opened.State == "dead":
			_, err = s.Rule(s.ctx, "inventory", dead.ID, client.Redrive, operator, "the handler is mended")
			redrives++
		}
		return firstOf(err, fmt.Errorf("it is %s", text(opened.DeadLetter)))
	})
	if redrives == 0 {
		s.fail("it was handled although nobody redrove it")
	}
	o := s.ends(held, confirmed)
	s.lettersGone("inventory", held)
	s.check(inOrder(kinds(s.spoken(held)), "StockReserved", "StockCommitted"))
	s.levels(tea, others+1, others+1)
	s.saw("dead at once, %d other orders confirmed; redriven by %s: completed, version %d", others, operator, o.Version)
}

// refuse places an order that is paid by the slow card and has inventory refuse its events once the stock is reserved,
// dead or parked. It returns its id when it is confirmed.
func (s *scene) refuse(sku, how string) string {
	o := s.place("tok_slow", sku, 1)
	_, err := s.tape.await(s.ctx, o.ID, "StockReserved")
	s.check(err)
	// Whole at once, for it may be read at any moment.
	draft := s.site.refused + ".draft"
	s.check(os.WriteFile(draft, []byte(how+o.ID+" inventory\n"), 0o600))
	s.check(os.Rename(draft, s.site.refused))
	_, err = s.tape.await(s.ctx, o.ID, "OrderConfirmed")
	s.check(err)
	return o.ID
}

// mend has nothing refused any more.
func (s *scene) mend() { s.check(os.Remove(s.site.refused)) }

// pass places some orders at the same time and returns how long it took until the sagas of all of them had ended.
func (s *scene) pass(sku string) time.Duration {
	began := time.Now()
	ids := s.placeAll(slices.Repeat([]client.Purchase{one(sku)}, others)...)
	for _, id := range ids {
		_, err := s.Completed(s.ctx, id)
		s.check(err)
	}
	took := time.Since(began)
	for _, id := range ids {
		s.ends(id, confirmed)
	}
	return took
}

// inOrder checks that kinds come one after another among others.
func inOrder(among []string, want ...string) error {
	last := -1
	for _, kind := range want {
		i := slices.Index(among, kind)
		if i <= last {
			return fmt.Errorf("%s is not where it should be among %v", kind, among)
		}
		last = i
	}
	return nil
}
