package stock_test

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// A batch is folded into one state, message after message.
func ExampleStock() {
	s := &stock.Stock{}
	batch := []stock.Message{
		stock.PutProduct{SKU: "tea", Name: "Tea", Price: 450, Currency: "EUR", At: start},
		stock.Restock{SKU: "tea", Quantity: 5, At: start},
		stock.OrderPlaced{OrderID: "o1", Lines: []stock.Line{{SKU: "tea", Quantity: 3}}, At: start},
		stock.OrderPlaced{OrderID: "o2", Lines: []stock.Line{{SKU: "tea", Quantity: 3}}, At: start},
		stock.OrderCancelled{OrderID: "o1", At: start},
	}
	for _, message := range batch {
		events, err := message.Decide(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		for _, e := range events {
			fmt.Printf("%T\n", e)
		}
	}
	fmt.Println("available:", s.Products["tea"].Available)
	// Output:
	// stock.ProductUpdated
	// stock.Restocked
	// stock.Reserved
	// stock.ReservationFailed
	// stock.Released
	// available: 5
}
