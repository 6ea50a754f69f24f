package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// The addresses are those that `quadrille up --json` prints.
func Example() {
	var addresses client.Addresses
	if err := json.NewDecoder(os.Stdin).Decode(&addresses); err != nil {
		log.Fatal(err)
	}
	ctx, c := context.Background(), client.New(addresses)
	o, err := c.Place(ctx, client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 2}))
	if err != nil {
		log.Fatal(err)
	}
	if o, err = c.Completed(ctx, o.ID); err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Status, o.Total)
}
