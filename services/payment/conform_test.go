package payment

import (
	"context"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// The orders of the story, each of 42.00 euros.
const (
	refunded   = "01932c0a-7d3e-7b61-9a44-5f0c2f7d1e10"
	declined   = "01932c0a-8f11-7c02-b3d5-0a9e6c41d722"
	uncaptured = "01932c0a-9a70-7d4e-8e02-64b1f3c2a955"
	uncalled   = "01932c0a-a2c8-7f6b-9d11-3c5e8b7a0f44"

	conformTotal = 4_200
)

func TestPaymentConforms(t *testing.T) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		t.Fatal(err)
	}
	defer schemaRegistry.Close()
	servicetest.Conform(t, schemaRegistry, Definition(Config{}.WithDefaults()), servicetest.Story[store.Message]{
		Tell: tell,
	})
}

type teller = servicetest.Teller[store.Message]

func tell(t *teller) {
	called := []string{refunded, declined, uncaptured}
	for _, id := range append(called, uncalled) {
		t.Event(id, &schemas.OrderPlaced{
			OrderID: id, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa", Currency: "EUR",
			Total: conformTotal, PlacedAt: t.Now(),
			Lines: []schemas.OrderLine{{SKU: "tea", Quantity: 1, UnitPrice: conformTotal}},
		})
	}
	tellCancelled(t, uncalled)
	for _, id := range called {
		t.Event(id, &schemas.StockReserved{
			OrderID: id, Lines: []schemas.StockLine{{SKU: "tea", Quantity: 1}}, ReservedAt: t.Now(),
		})
	}
	tellClaimed(t, 3, time.Hour)
	tellAnswered(t, refunded, payment.Authorize, payment.Intent{Authorized: conformTotal}, "")
	tellAnswered(t, declined, payment.Authorize, payment.Intent{}, payment.RefusedCardDeclined)
	tellAnswered(t, uncaptured, payment.Authorize, payment.Intent{Authorized: conformTotal}, "")

	for _, id := range []string{refunded, uncaptured} {
		t.Event(id, &schemas.OrderConfirmed{OrderID: id, Currency: "EUR", Total: conformTotal, ConfirmedAt: t.Now()})
	}
	tellClaimed(t, 2, 2*time.Hour)
	tellAnswered(t, refunded, payment.Capture, payment.Intent{Authorized: conformTotal, Captured: conformTotal}, "")
	tellAnswered(t, uncaptured, payment.Capture, payment.Intent{Authorized: conformTotal},
		payment.RefusedCaptureDeclined)

	for _, id := range called {
		tellCancelled(t, id)
	}
	tellClaimed(t, 3, 3*time.Hour)
	tellAnswered(t, refunded, payment.Refund,
		payment.Intent{Authorized: conformTotal, Captured: conformTotal, Refunded: conformTotal}, "")
	tellAnswered(t, declined, payment.Cancel, payment.Intent{}, "")
	tellAnswered(t, uncaptured, payment.Cancel, payment.Intent{Authorized: conformTotal}, "")
}

func tellCancelled(t *teller, id string) {
	t.Event(id, &schemas.OrderCancelled{
		OrderID: id, Reason: schemas.CancellationReasonCustomerRequest, Currency: "EUR", Total: conformTotal,
		CancelledAt: t.Now(),
	})
}

// tellClaimed claims at most limit calls, as many as are due, so much later that no lease is left.
func tellClaimed(t *teller, limit int, later time.Duration) {
	now := t.Now().Add(later)
	t.Aside(func(ctx context.Context, db *sqldb.DB) error {
		_, err := store.Leases(time.Minute).Claim(ctx, db, nil, now, limit)
		return err
	})
}

func tellAnswered(t *teller, id string, operation payment.Operation, intent payment.Intent, refusal payment.Refusal) {
	intent.ID = "pi_" + id
	t.Tell(work.ScopeCall, id, store.Message{Message: payment.Answer{
		OrderID: id, Operation: operation, Refusal: refusal, Intent: intent, At: t.Now(),
	}})
}
