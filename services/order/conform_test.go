package order

import (
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// The orders of the story.
const (
	kept       = "01932c0a-7d3e-7b61-9a44-5f0c2f7d1e10"
	outOf      = "01932c0a-8f11-7c02-b3d5-0a9e6c41d722"
	declined   = "01932c0a-9a70-7d4e-8e02-64b1f3c2a955"
	late       = "01932c0a-a2c8-7f6b-9d11-3c5e8b7a0f44"
	uncaptured = "01932c0a-b0d1-7a52-8c3f-92d4e6b81a07"
	pending    = "01932c0a-c3e9-7e18-b2a6-41f7d0c95b63"
)

func TestOrderConforms(t *testing.T) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		t.Fatal(err)
	}
	defer schemaRegistry.Close()
	// A snapshot at every change: which one of fewer is the newest would depend on the batches.
	def := Definition(Config{SnapshotEvery: 1}.WithDefaults())
	servicetest.Conform(t, schemaRegistry, def, servicetest.Story[order.Message]{
		Tell: tell,
		Posts: []servicetest.Post{
			{
				Path: "/v1/orders",
				Body: `{"customer_id":"ada","email":"ada@example.com","payment_method":"tok_visa",
					"lines":[{"sku":"tea","quantity":2}]}`,
				Other: `{"customer_id":"ada","email":"ada@example.com","payment_method":"tok_visa",
					"lines":[{"sku":"tea","quantity":3}]}`,
			},
			{Path: "/v1/orders/" + pending + "/cancellation", Body: `{"reason":"mistake"}`, Other: `{}`},
		},
	})
}

func tell(t *servicetest.Teller[order.Message]) {
	t.Event("tea", &schemas.ProductUpdated{
		SKU: "tea", Name: "Tea ☕", Price: 899, Currency: "EUR", Version: 1, UpdatedAt: t.Now(),
	})
	for _, id := range []string{kept, outOf, declined} {
		tellPlaced(t, id)
	}
	t.Event("tea", &schemas.ProductUpdated{
		SKU: "tea", Name: "Tea ☕", Price: 950, Currency: "EUR", Version: 2, UpdatedAt: t.Now(),
	})
	for _, id := range []string{late, uncaptured, pending} {
		tellPlaced(t, id)
	}

	t.Event(kept, &schemas.PaymentAuthorized{OrderID: kept, Amount: 1798, Currency: "EUR", AuthorizedAt: t.Now()})
	t.Event(kept, &schemas.StockReserved{OrderID: kept, Lines: lines(), ReservedAt: t.Now()})
	t.Event(outOf, &schemas.StockReservationFailed{
		OrderID: outOf, Reason: schemas.ReservationFailureOutOfStock, FailedAt: t.Now(),
		Shortages: []schemas.Shortage{{SKU: "tea", Requested: 2, Available: 1}},
	})
	t.Event(outOf, &schemas.StockReleased{OrderID: outOf, ReleasedAt: t.Now()})
	t.Event(declined, &schemas.PaymentDeclined{
		OrderID: declined, Reason: schemas.DeclineReasonCardDeclined, DeclinedAt: t.Now(),
	})
	t.Event(declined, &schemas.PaymentVoided{OrderID: declined, Currency: "EUR", VoidedAt: t.Now()})
	t.Tell(work.ScopeTimer, late, order.TimedOut{OrderID: late, At: t.Now().Add(time.Hour)})
	t.Event(late, &schemas.StockReserved{OrderID: late, Lines: lines(), ReservedAt: t.Now()})

	t.Event(uncaptured, &schemas.StockReserved{OrderID: uncaptured, Lines: lines(), ReservedAt: t.Now()})
	t.Event(uncaptured, &schemas.PaymentAuthorized{
		OrderID: uncaptured, Amount: 1900, Currency: "EUR", AuthorizedAt: t.Now(),
	})
	t.Event(uncaptured, &schemas.PaymentCaptureFailed{
		OrderID: uncaptured, Reason: schemas.CaptureFailureDeclined, FailedAt: t.Now(),
	})

	t.Event(kept, &schemas.StockCommitted{OrderID: kept, Lines: lines(), CommittedAt: t.Now()})
	t.Event(kept, &schemas.PaymentCaptured{OrderID: kept, Amount: 1798, Currency: "EUR", CapturedAt: t.Now()})
	t.Tell("POST /v1/orders/{id}/cancellation", kept, order.Cancel{OrderID: kept, Detail: "mistake", At: t.Now()})
	t.Event(kept, &schemas.PaymentRefunded{OrderID: kept, Amount: 1798, Currency: "EUR", RefundedAt: t.Now()})
}

func tellPlaced(t *servicetest.Teller[order.Message], id string) {
	t.Tell("POST /v1/orders", id, order.Place{
		OrderID: id, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa",
		Lines: []order.Item{{SKU: "tea", Quantity: 2}}, At: t.Now(), Timeout: time.Minute,
	})
}

func lines() []schemas.StockLine { return []schemas.StockLine{{SKU: "tea", Quantity: 2}} }
