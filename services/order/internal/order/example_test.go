package order_test

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// A batch is folded into one book, message after message.
func ExampleBook() {
	book := &order.Book{}
	batch := []order.Message{
		order.ProductUpdated{SKU: "tea", Name: "Tea", Price: 450, Currency: "EUR", Version: 1},
		order.Place{
			OrderID: "o1", CustomerID: "c1", Email: "ada@example.com", PaymentMethod: "tok_visa",
			Lines: []order.Item{{SKU: "tea", Quantity: 2}}, At: start, Timeout: order.MaxTimeout,
		},
		order.Answered{OrderID: "o1", At: start, Answer: order.PaymentAuthorized{Amount: 900, Currency: "EUR"}},
		order.Answered{OrderID: "o1", At: start, Answer: order.StockReserved{}},
	}
	for _, message := range batch {
		events, err := message.Decide(book)
		if err != nil {
			fmt.Println(err)
			continue
		}
		for _, e := range events {
			fmt.Println(e.Header().Version, e.Type())
		}
	}
	o := book.Orders["o1"]
	fmt.Println(o.Status, o.Total, o.Currency, "waits for", o.WaitingFor())
	// Output:
	// 1 OrderPlaced
	// 2 PaymentAuthorized
	// 3 StockReserved
	// 4 OrderConfirmed
	// confirmed 900 EUR waits for [stock payment]
}

// What is stored is folded again to load an order.
func ExampleOrder_Apply() {
	rows := []struct{ eventType, data string }{
		{"OrderPlaced", `{"order_id":"o1","version":1,"at":"2026-03-01T12:00:00Z","currency":"EUR","total":900}`},
		{"OrderCancelled", `{"order_id":"o1","version":2,"at":"2026-03-01T12:02:00Z","reason":"timed_out"}`},
	}
	o := &order.Order{}
	for _, row := range rows {
		e, err := order.Decode(row.eventType, []byte(row.data))
		if err != nil {
			fmt.Println(err)
			return
		}
		o.Apply(e)
	}
	fmt.Println(o.Status, o.Reason, o.Version)
	// Output: cancelled timed_out 2
}
