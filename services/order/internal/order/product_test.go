package order_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

func TestTheCatalogueKeepsTheNewest(t *testing.T) {
	update := func(price, version int64) order.Message {
		return order.ProductUpdated{SKU: "tea", Name: "Tea", Price: price, Currency: "EUR", Version: version}
	}
	withdraw := func(version int64) order.Message { return order.ProductWithdrawn{SKU: "tea", Version: version} }
	at := func(price, version int64) order.Product {
		return order.Product{SKU: "tea", Name: "Tea", Price: price, Currency: "EUR", Version: version, Changed: true}
	}
	gone := at(450, 3)
	gone.Withdrawn = true
	tests := []struct {
		name string
		when []order.Message
		want order.Product
	}{
		{"new", []order.Message{update(450, 2)}, at(450, 2)},
		{"newer", []order.Message{update(450, 2), update(500, 5)}, at(500, 5)},
		{"older", []order.Message{update(450, 5), update(500, 2)}, at(450, 5)},
		{"equally old", []order.Message{update(450, 2), update(500, 2)}, at(450, 2)},
		{"withdrawn", []order.Message{update(450, 2), withdraw(3)}, gone},
		{"late duplicate cannot revive it", []order.Message{update(450, 2), withdraw(3), update(450, 2)}, gone},
		{"withdrawn before it was known", []order.Message{withdraw(3), update(450, 2)},
			order.Product{SKU: "tea", Version: 3, Withdrawn: true, Changed: true}},
		{"late tombstone", []order.Message{update(450, 4), withdraw(3)}, at(450, 4)},
		{"back again", []order.Message{update(450, 2), withdraw(3), update(500, 4)}, at(500, 4)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld()
			for _, m := range tt.when {
				if events, err := w.step(t, m); err != nil || len(events) > 0 {
					t.Fatalf("%v, %v", events, err)
				}
			}
			if diff := cmp.Diff(tt.want, w.book.Catalogue["tea"]); diff != "" {
				t.Errorf("product (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnOlderProductIsNotMarkedForSaving(t *testing.T) {
	known := order.Product{SKU: "tea", Price: 450, Currency: "EUR", Version: 2}
	book := &order.Book{Catalogue: map[string]order.Product{"tea": known}}
	for _, m := range []order.Message{tea, order.ProductWithdrawn{SKU: "tea", Version: 2}} {
		if _, err := m.Decide(book); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(known, book.Catalogue["tea"]); diff != "" {
			t.Errorf("%#v changed it:\n%s", m, diff)
		}
	}
}
