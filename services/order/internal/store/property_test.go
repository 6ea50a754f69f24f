package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// Whatever comes and however often snapshots are kept: what is loaded, read at any version and listed is the fold of
// the events from the first.
func TestEveryReadIsTheFoldOfTheEvents(t *testing.T) {
	answers := []order.Answer{
		order.StockReserved{}, order.StockReservationFailed{Reason: "out_of_stock"}, order.StockCommitted{},
		order.StockReleased{}, order.PaymentAuthorized{}, order.PaymentDeclined{}, order.PaymentCaptured{},
		order.PaymentCaptureFailed{}, order.PaymentVoided{}, order.PaymentRefunded{SettledByHand: true},
	}
	each(t, func(t *testing.T, db *sqldb.DB) {
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			runs++
			customer := fmt.Sprintf("customer-%d", runs)
			ids := []string{customer + "-a", customer + "-b"}
			every := store.Saver{SnapshotEvery: rapid.Int64Range(1, 4).Draw(rt, "every")}
			messages := []order.Message{place(ids[0], customer, noon), place(ids[1], customer, noon)}
			for range rapid.IntRange(0, 12).Draw(rt, "messages") {
				id := rapid.SampledFrom(ids).Draw(rt, "order")
				at := noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(rt, "second")) * time.Second)
				switch rapid.IntRange(0, 9).Draw(rt, "kind") {
				case 0:
					messages = append(messages, order.Cancel{OrderID: id, Detail: "no", At: at})
				case 1:
					messages = append(messages, order.TimedOut{OrderID: id, At: at})
				default:
					messages = append(messages, order.Answered{
						OrderID: id, At: at, Answer: rapid.SampledFrom(answers).Draw(rt, "answer"),
					})
				}
			}
			for len(messages) > 0 {
				n := rapid.IntRange(1, len(messages)).Draw(rt, "batch")
				if _, err := handleBy(t.Context(), db, every, messages[:n]...); err != nil {
					rt.Fatal(err)
				}
				messages = messages[n:]
				check(t, rt, db, customer, ids)
			}
		})
	})
}

func check(t *testing.T, rt *rapid.T, db *sqldb.DB, customer string, ids []string) {
	listed, err := store.Orders(t.Context(), db, store.Filter{CustomerID: customer, Limit: 9})
	if err != nil {
		rt.Fatal(err)
	}
	for _, o := range listed {
		recorded, err := store.Events(t.Context(), db, o.ID)
		if err != nil {
			rt.Fatal(err)
		}
		want := &order.Order{ID: o.ID}
		for _, r := range recorded {
			want.Apply(r.Event)
			got, err := store.Order(t.Context(), db, o.ID, store.Until{Version: want.Version})
			if diff := cmp.Diff(want, got, bookkeeping); err != nil || diff != "" {
				rt.Fatalf("version %d: %v (-folded +read):\n%s", want.Version, err, diff)
			}
		}
		if diff := cmp.Diff(want, o, bookkeeping); diff != "" {
			rt.Fatalf("listed (-folded +listed):\n%s", diff)
		}
		if diff := cmp.Diff(want, load(t, db, order.Cancel{OrderID: o.ID}).Orders[o.ID], bookkeeping); diff != "" {
			rt.Fatalf("loaded (-folded +loaded):\n%s", diff)
		}
		beyond := store.Until{Version: want.Version + 1}
		if o, err := store.Order(t.Context(), db, o.ID, beyond); !errors.Is(err, store.ErrNotFound) {
			rt.Fatalf("beyond its end: %+v, %v", o, err)
		}
	}
	if len(listed) > len(ids) {
		rt.Fatalf("%d orders are listed", len(listed))
	}
}
