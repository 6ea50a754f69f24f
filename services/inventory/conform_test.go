package inventory

import (
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// The orders of the story.
const (
	sold      = "01932c0a-7d3e-7b61-9a44-5f0c2f7d1e10"
	given     = "01932c0a-8f11-7c02-b3d5-0a9e6c41d722"
	tooMany   = "01932c0a-9a70-7d4e-8e02-64b1f3c2a955"
	overtaken = "01932c0a-a2c8-7f6b-9d11-3c5e8b7a0f44"
)

func TestInventoryConforms(t *testing.T) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		t.Fatal(err)
	}
	defer schemaRegistry.Close()
	servicetest.Conform(t, schemaRegistry, Definition(Config{}.WithDefaults()), servicetest.Story[stock.Message]{
		Tell: tell,
		Posts: []servicetest.Post{
			{Path: "/v1/products/tea/restocks", Body: `{"quantity":5}`, Other: `{"quantity":6}`},
		},
	})
}

func tell(t *servicetest.Teller[stock.Message]) {
	t.Tell("PUT /v1/products/{sku}", "tea", stock.PutProduct{
		SKU: "tea", Name: "Tea ☕", Price: 899, Currency: "EUR", At: t.Now(), RepublishAfter: time.Minute,
	})
	t.Tell("PUT /v1/products/{sku}", "cup", stock.PutProduct{
		SKU: "cup", Name: "Cup", Price: 1450, Currency: "EUR", At: t.Now(),
	})
	t.Tell("POST /v1/products/{sku}/restocks", "tea", stock.Restock{SKU: "tea", Quantity: 10, At: t.Now()})
	t.Tell("POST /v1/products/{sku}/restocks", "cup", stock.Restock{SKU: "cup", Quantity: 3, At: t.Now()})

	t.Event(sold, placed(t, sold, schemas.OrderLine{SKU: "tea", Quantity: 2, UnitPrice: 899},
		schemas.OrderLine{SKU: "cup", Quantity: 1, UnitPrice: 1450}))
	t.Event(given, placed(t, given, schemas.OrderLine{SKU: "tea", Quantity: 7, UnitPrice: 899}))
	t.Event(sold, confirmed(t, sold))
	t.Event(tooMany, placed(t, tooMany, schemas.OrderLine{SKU: "tea", Quantity: 2, UnitPrice: 899}))
	t.Event(given, cancelled(t, given))
	t.Event(overtaken, cancelled(t, overtaken))
	t.Event(overtaken, placed(t, overtaken, schemas.OrderLine{SKU: "cup", Quantity: 1, UnitPrice: 1450}))
	t.Event(tooMany, cancelled(t, tooMany))
	t.Event(sold, cancelled(t, sold))
	t.Tell(work.ScopeTimer, "tea", stock.Republish{SKU: "tea", Version: 1, At: t.Now()})
}

func placed(t *servicetest.Teller[stock.Message], id string, lines ...schemas.OrderLine) *schemas.OrderPlaced {
	placed := &schemas.OrderPlaced{
		OrderID: id, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa", Currency: "EUR",
		Lines: lines, PlacedAt: t.Now(),
	}
	for _, l := range lines {
		placed.Total += l.Quantity * l.UnitPrice
	}
	return placed
}

func confirmed(t *servicetest.Teller[stock.Message], id string) *schemas.OrderConfirmed {
	return &schemas.OrderConfirmed{OrderID: id, Currency: "EUR", Total: 3248, ConfirmedAt: t.Now()}
}

func cancelled(t *servicetest.Teller[stock.Message], id string) *schemas.OrderCancelled {
	return &schemas.OrderCancelled{
		OrderID: id, Reason: schemas.CancellationReasonCustomerRequest, Currency: "EUR", Total: 3248,
		CancelledAt: t.Now(),
	}
}
