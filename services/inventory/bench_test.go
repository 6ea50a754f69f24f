package inventory

import (
	"fmt"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

const (
	benchSKUs   = 50
	benchLines  = 3
	benchOrders = 1000 // a round
	// benchBehind is how many orders are placed between the placing and the confirmation of one.
	benchBehind = 250
)

// BenchmarkHandler measures OrderPlaced of three lines over 50 skus, which reserves, and OrderConfirmed, which commits,
// side by side as they arrive under load.
func BenchmarkHandler(b *testing.B) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		b.Fatal(err)
	}
	defer schemaRegistry.Close()
	servicetest.Benchmark(b, schemaRegistry, Definition(Config{}.WithDefaults()), servicetest.Scenario[stock.Message]{
		Stage: stockUp,
		Round: func(d *servicetest.Driver[stock.Message], _ int) {
			var messages []work.Message[stock.Message]
			d.Untimed(func() { messages = placedAndConfirmed(d) })
			d.Take(messages)
		},
	})
}

func benchSKU(n int) string { return fmt.Sprintf("sku-%02d", n%benchSKUs) }

func stockUp(d *servicetest.Driver[stock.Message]) {
	at := event.Now(time.Now)
	var messages []work.Message[stock.Message]
	for n := range benchSKUs {
		sku := benchSKU(n)
		messages = append(messages,
			d.Message("PUT /v1/products/{sku}", "", sku, stock.PutProduct{
				SKU: sku, Name: sku, Price: 100, Currency: "EUR", At: at,
			}),
			d.Message("POST /v1/products/{sku}/restocks", "", sku, stock.Restock{
				SKU: sku, Quantity: stock.MaxLevel / 2, At: at,
			}))
	}
	d.Take(messages)
}

func placedAndConfirmed(d *servicetest.Driver[stock.Message]) []work.Message[stock.Message] {
	ids := make([]string, benchOrders)
	for i := range ids {
		ids[i] = event.NewID()
	}
	var messages []work.Message[stock.Message]
	for i := range benchOrders + benchBehind {
		if i < benchOrders {
			placed := &schemas.OrderPlaced{
				OrderID: ids[i], CustomerID: "customer", Email: "ada@example.com", PaymentMethod: "tok_visa",
				Currency: "EUR", Total: 100 * benchLines, PlacedAt: event.Now(time.Now),
			}
			for n := range benchLines {
				placed.Lines = append(placed.Lines, schemas.OrderLine{
					SKU: benchSKU(i + 17*n), Quantity: 1, UnitPrice: 100,
				})
			}
			messages = append(messages, d.Event("order.events", ids[i], placed))
		}
		if i >= benchBehind {
			id := ids[i-benchBehind]
			messages = append(messages, d.Event("order.events", id, &schemas.OrderConfirmed{
				OrderID: id, Currency: "EUR", Total: 100 * benchLines, ConfirmedAt: event.Now(time.Now),
			}))
		}
	}
	return messages
}
