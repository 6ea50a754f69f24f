package saga

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/services/order"
)

// Several orders that share skus, in any interleaving: G4 holds after every step, G5 and G6 at rest.
func TestManyOrdersInAnyInterleavingEndWell(t *testing.T) {
	mails := make(mailsKnown)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld()
		stock(t, w, "tea", 100, initial["tea"])
		stock(t, w, "cup", 250, initial["cup"])
		methods := rapid.SampledFrom([]string{"tok_visa", "tok_visa", "tok_declined", "tok_capture_declined"})
		orders := rapid.IntRange(2, 6).Draw(rt, "orders")
		var ids []string
		for n := range orders {
			id := fmt.Sprintf("o-%d", n+1)
			ids = append(ids, id)
			var wanted []order.Item
			for _, sku := range rapid.SampledFrom([][]string{{"tea"}, {"cup"}, {"tea", "cup"}, {"cup", "tea"}}).Draw(rt, "skus") {
				wanted = append(wanted, order.Item{SKU: sku, Quantity: rapid.Int64Range(1, 3).Draw(rt, "quantity")})
			}
			published, err := w.order.Place(id, wanted, methods.Draw(rt, "method"), now)
			if err != nil {
				rt.Fatal(err)
			}
			w.publish(published)
			for _, wish := range []string{"cancel", "timeout"} {
				if rapid.IntRange(0, 3).Draw(rt, wish) == 0 {
					w.pending = append(w.pending, message{To: order.Name, Kind: wish, Order: id})
				}
			}
		}

		for len(w.pending) > 0 {
			if len(w.delivered) > 0 && rapid.IntRange(0, 9).Draw(rt, "repeat") == 0 {
				m := w.delivered[rapid.IntRange(0, len(w.delivered)-1).Draw(rt, "repeated")]
				before := len(w.pending)
				if err := w.deliver(m); err != nil {
					rt.Fatal(err)
				}
				if len(w.pending) != before {
					rt.Fatalf("G2: %s repeated led to %s", m.id(), w.pending[len(w.pending)-1].id())
				}
			}
			i := rapid.IntRange(0, len(w.pending)-1).Draw(rt, "next")
			m := w.pending[i]
			w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
			w.delivered = append(w.delivered, m)
			if err := w.deliver(m); err != nil {
				rt.Fatal(err)
			}
			checkStock(rt, w)
		}
		for _, id := range ids {
			checkEnd(rt, w, id)
			mails.check(rt, w, id)
		}
		checkRest(rt, w)
	})
}
