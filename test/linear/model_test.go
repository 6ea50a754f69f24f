package linear

import (
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// operation of a history by hand: it lasts from one time to another.
func operation(from, to int64, input, output any) porcupine.Operation {
	return porcupine.Operation{Call: from, Return: to, Input: input, Output: output}
}

func restock(quantity int64) Stock    { return Stock{Kind: Restock, SKU: "tea", Quantity: quantity} }
func of(kind Kind, order int) Stock   { return Stock{Kind: kind, SKU: "tea", Order: order, Quantity: 1} }
func levels(a, r, s int64) Levels     { return Levels{a, r, s} }
func place(quantity int64) Place      { return Place{Key: "k", Quantity: quantity} }
func accepted(at string) Placed       { return Placed{Status: 202, Location: at} }
func shown(at string, n int64) Placed { return Placed{Status: 202, Location: at, Shown: n} }

var (
	look   = Stock{Kind: Read, SKU: "tea"}
	reused = Placed{Status: 409}
)

func TestTheModelsTellBrokenHistories(t *testing.T) {
	stock, keys := StockModel(3), KeyModel()
	for _, tc := range []struct {
		name    string
		model   porcupine.Model
		history []porcupine.Operation
		legal   bool
	}{
		{"an order is reserved, sold and taken back", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(2, 6, of(Reserve, 0), Held(true)),
			operation(3, 4, look, levels(1, 0, 0)), operation(5, 6, look, levels(0, 1, 0)),
			operation(2, 8, of(Sell, 0), nil), operation(9, 10, look, levels(0, 0, 1)),
			operation(11, 12, of(Release, 0), nil), operation(13, 14, look, levels(1, 0, 0)),
		}, true},
		{"two reads at once may differ", stock, []porcupine.Operation{
			operation(0, 9, restock(1), nil), operation(1, 8, look, levels(1, 0, 0)), operation(1, 8, look, levels(0, 0, 0)),
		}, true},
		{"a stale read", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(2, 3, look, levels(0, 0, 0)),
		}, false},
		{"a read goes back in time", stock, []porcupine.Operation{
			operation(0, 9, restock(1), nil), operation(1, 2, look, levels(1, 0, 0)), operation(3, 4, look, levels(0, 0, 0)),
		}, false},
		{"a torn read", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(2, 9, of(Reserve, 0), Held(true)),
			operation(3, 4, look, levels(1, 1, 0)),
		}, false},
		{"the last unit is held twice", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil),
			operation(2, 9, of(Reserve, 0), Held(true)), operation(2, 9, of(Reserve, 1), Held(true)),
		}, false},
		{"refused although there was enough", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(2, 9, of(Reserve, 0), Held(false)),
		}, false},
		{"sold without being held", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(2, 3, of(Sell, 0), nil),
		}, false},
		{"given back twice", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(2, 3, of(Reserve, 0), Held(true)),
			operation(4, 5, of(Release, 0), nil), operation(4, 5, of(Release, 0), nil),
		}, false},
		{"a lost update", stock, []porcupine.Operation{
			operation(0, 1, restock(1), nil), operation(0, 1, restock(1), nil), operation(2, 3, look, levels(1, 0, 0)),
		}, false},
		{"an unknown restock has happened", stock, []porcupine.Operation{
			operation(0, never, restock(1), nil), operation(2, 3, look, levels(1, 0, 0)),
		}, true},
		{"an unknown restock has not happened", stock, []porcupine.Operation{
			operation(0, never, restock(1), nil), operation(2, 3, look, levels(0, 0, 0)),
		}, true},
		{"an unknown restock has happened twice", stock, []porcupine.Operation{
			operation(0, never, restock(1), nil), operation(2, 3, look, levels(2, 0, 0)),
		}, false},
		{"an unknown restock is taken back", stock, []porcupine.Operation{
			operation(0, never, restock(1), nil), operation(2, 3, look, levels(1, 0, 0)),
			operation(4, 5, look, levels(0, 0, 0)),
		}, false},

		{"copies are answered alike", keys, []porcupine.Operation{
			operation(0, 9, place(1), shown("/a", 1)), operation(0, 9, place(1), accepted("/a")),
			operation(0, 9, place(2), reused),
		}, true},
		{"two copies make two orders", keys, []porcupine.Operation{
			operation(0, 9, place(1), accepted("/a")), operation(0, 9, place(1), accepted("/b")),
		}, false},
		{"another body is accepted", keys, []porcupine.Operation{
			operation(0, 9, place(1), accepted("/a")), operation(0, 9, place(2), accepted("/a")),
		}, false},
		{"both bodies are refused", keys, []porcupine.Operation{
			operation(0, 9, place(1), reused), operation(0, 9, place(2), reused),
		}, false},
		{"refused before the other body came", keys, []porcupine.Operation{
			operation(0, 1, place(2), reused), operation(2, 3, place(1), accepted("/a")),
		}, false},
		{"a copy is refused", keys, []porcupine.Operation{
			operation(0, 1, place(1), accepted("/a")), operation(2, 3, place(1), reused),
		}, false},
		{"the answer shows another body", keys, []porcupine.Operation{
			operation(0, 9, place(1), shown("/a", 2)),
		}, false},
		{"accepted without a resource", keys, []porcupine.Operation{operation(0, 9, place(1), accepted(""))}, false},
		{"an unknown first is repeated", keys, []porcupine.Operation{
			operation(0, never, place(1), nil), operation(2, 3, place(2), reused), operation(4, 5, place(1), accepted("/a")),
		}, true},
		{"an unknown first was not done", keys, []porcupine.Operation{
			operation(0, never, place(1), nil), operation(2, 3, place(2), accepted("/b")), operation(4, 5, place(1), reused),
		}, true},
		{"an unknown first was done and undone", keys, []porcupine.Operation{
			operation(0, never, place(1), nil), operation(2, 3, place(2), reused), operation(4, 5, place(2), accepted("/b")),
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := porcupine.CheckOperations(tc.model, tc.history); got != tc.legal {
				t.Errorf("linearizable: %t, want %t", got, tc.legal)
			}
		})
	}
}

// TestAHistoryOfOneClientIsItsOwnOrder: what one client does is taken in no other order, and skus do not mix.
func TestAHistoryOfOneClientIsItsOwnOrder(t *testing.T) {
	h := NewHistory()
	for _, sku := range []string{"tea", "cake"} {
		for n := range int64(3) {
			h.Add(0, h.Now(), Stock{Kind: Restock, SKU: sku, Quantity: 1}, nil)
			h.Add(0, h.Now(), Stock{Kind: Read, SKU: sku}, levels(n+1, 0, 0))
		}
	}
	if got := porcupine.CheckOperationsTimeout(StockModel(0), h.Operations(), time.Minute); got != porcupine.Ok {
		t.Error(got)
	}
	backwards := slices.Clone(h.Operations())
	backwards[1].Output, backwards[3].Output = backwards[3].Output, backwards[1].Output
	if got := porcupine.CheckOperationsTimeout(StockModel(0), backwards, time.Minute); got != porcupine.Illegal {
		t.Errorf("reads in another order: %v", got)
	}
}
