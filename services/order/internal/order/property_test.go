package order_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Messages of many orders come in any order, repeated, late, or nonsense. step checks what holds of every step; here is
// what holds of a life: it goes from pending to confirmed to cancelled and never back, the prices of a placed order
// stay, and each kind of event happens at most once.
func TestOrdersOnlyGoForward(t *testing.T) {
	rank := map[order.Status]int{order.StatusPending: 1, order.StatusConfirmed: 2, order.StatusCancelled: 3}
	rapid.Check(t, func(t *rapid.T) {
		w := given(t)
		happened := make(map[string]map[string]bool)
		for _, m := range rapid.SliceOfN(message(), 1, 60).Draw(t, "messages") {
			before := cloneBook(w.book)
			events, err := w.step(t, m)
			checkError(t, m, err)
			for _, e := range events {
				id := e.Header().OrderID
				if happened[id][e.Type()] {
					t.Fatalf("%s of order %s happened twice", e.Type(), id)
				}
				if happened[id] == nil {
					happened[id] = make(map[string]bool)
				}
				happened[id][e.Type()] = true
			}
			for id, old := range before.Orders {
				o := w.book.Orders[id]
				if rank[o.Status] < rank[old.Status] {
					t.Fatalf("%#v: order %s went from %s to %s", m, id, old.Status, o.Status)
				}
				if old.Reason != "" && o.Reason != old.Reason || o.Total != old.Total || o.Deadline != old.Deadline {
					t.Fatalf("%#v: order %s changed from %+v to %+v", m, id, old, o)
				}
			}
			for sku, old := range before.Catalogue {
				if w.book.Catalogue[sku].Version < old.Version {
					t.Fatalf("%#v: product %s went back to version %d", m, sku, w.book.Catalogue[sku].Version)
				}
			}
		}
	})
}

// checkError: a message fails for one of the reasons that callers know, or not at all.
func checkError(t tb, m order.Message, err error) {
	t.Helper()
	var refusal *order.Refusal
	known := err == nil || errors.As(err, &refusal) || errors.Is(err, order.ErrUnknownOrder) ||
		errors.Is(err, order.ErrOrderExists) || errors.Is(err, order.ErrUnknownAnswer)
	if !known {
		t.Fatalf("%#v: %v", m, err)
	}
}

func message() *rapid.Generator[order.Message] {
	skus := rapid.SampledFrom([]string{"tea", "cup", "gin", "pot", ""})
	ids := rapid.SampledFrom([]string{"o1", "o2", "o3", ""})
	numbers := rapid.OneOf(rapid.Int64Range(1, 9),
		rapid.SampledFrom([]int64{math.MinInt64, -1, 0, order.MaxQuantity, order.MaxTotal, math.MaxInt64}))
	items := rapid.Custom(func(t *rapid.T) order.Item {
		return order.Item{SKU: skus.Draw(t, "sku"), Quantity: numbers.Draw(t, "quantity")}
	})
	goodItems := rapid.SampledFrom([][]order.Item{place.Lines, place.Lines[:1], {{SKU: "gin", Quantity: 1}}})
	answers := rapid.SampledFrom([]order.Answer{
		nil, reserved.Answer, failed.Answer, committed.Answer, released.Answer, authorized.Answer, declined.Answer,
		captured.Answer, captureFailed.Answer, voided.Answer, refunded.Answer, (*order.StockReleased)(nil),
	})
	return rapid.Custom(func(t *rapid.T) order.Message {
		id, at := ids.Draw(t, "id"), at(rapid.IntRange(-10, 10).Draw(t, "minute"))
		switch rapid.IntRange(0, 11).Draw(t, "kind") {
		case 0, 1:
			m := place
			m.OrderID, m.At, m.Lines = id, at, goodItems.Draw(t, "lines")
			return m
		case 2:
			return order.Place{
				OrderID: id, At: at, Lines: rapid.SliceOfN(items, 0, 3).Draw(t, "lines"),
				CustomerID: rapid.String().Draw(t, "customer"), Email: rapid.String().Draw(t, "email"),
				PaymentMethod: rapid.String().Draw(t, "method"),
				Timeout:       time.Duration(rapid.Int64().Draw(t, "timeout")),
			}
		case 3:
			return order.Cancel{OrderID: id, At: at, Detail: rapid.String().Draw(t, "detail")}
		case 4:
			return order.TimedOut{OrderID: id, At: at}
		case 5:
			return order.ProductWithdrawn{SKU: skus.Draw(t, "sku"), Version: numbers.Draw(t, "version")}
		case 6:
			return order.ProductUpdated{
				SKU: skus.Draw(t, "sku"), Name: "x", Price: numbers.Draw(t, "price"), Version: numbers.Draw(t, "version"),
				Currency: rapid.SampledFrom([]string{"EUR", "GBP", "", "eur"}).Draw(t, "currency"),
			}
		}
		return order.Answered{OrderID: id, At: at, Answer: answers.Draw(t, "answer")}
	})
}
