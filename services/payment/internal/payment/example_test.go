package payment_test

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// A purchase that is confirmed: each message is folded into the till, and after each the payment says what to ask the
// gateway next.
func Example() {
	till := &payment.Till{}
	fold := func(m payment.Message) {
		events, err := m.Decide(till)
		if err != nil {
			fmt.Println("refused:", err)
			return
		}
		for _, e := range events {
			fmt.Printf("version %d: %T\n", e.Stamped().Version, e)
		}
		if call, due := till.Payments["o-1"].Next(); due {
			fmt.Println("call", call.IdempotencyKey())
			till.Payments["o-1"].Claims++
		}
	}

	fold(payment.StockReserved{OrderID: "o-1"}) // may overtake the order
	fold(payment.OrderPlaced{OrderID: "o-1", Amount: 4_200, Currency: "EUR", Method: "tok_visa"})
	fold(payment.Answer{
		OrderID: "o-1", Operation: payment.Authorize, Intent: payment.Intent{ID: "pi_1", Authorized: 4_200},
	})
	fold(payment.OrderConfirmed{OrderID: "o-1", Amount: 4_200, Currency: "EUR"})
	fold(payment.Answer{
		OrderID: "o-1", Operation: payment.Capture,
		Intent: payment.Intent{ID: "pi_1", Authorized: 4_200, Captured: 4_200},
	})
	fmt.Println(till.Payments["o-1"].Status())

	// Output:
	// call o-1/authorize
	// version 3: payment.Authorized
	// call o-1/capture
	// version 5: payment.Captured
	// captured
}
