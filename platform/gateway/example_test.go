package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/gateway"
)

func Example() {
	g, err := gateway.Start(gateway.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()

	response, err := http.Post("http://"+g.Addr()+"/v1/payment_intents", "application/json", strings.NewReader(
		`{"reference": "order-1", "amount": 2599, "currency": "EUR", "payment_method": "tok_visa"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, strings.Contains(string(body), `"status":"requires_authorization"`), err)
	// Output: 201 Created true <nil>
}
