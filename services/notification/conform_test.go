package notification

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
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

// The orders of the story, each of 42.00 euros.
const (
	confirmed = "01932c0a-7d3e-7b61-9a44-5f0c2f7d1e10"
	refunded  = "01932c0a-8f11-7c02-b3d5-0a9e6c41d722"
	unreached = "01932c0a-9a70-7d4e-8e02-64b1f3c2a955"

	conformTotal = 4_200
)

func TestNotificationConforms(t *testing.T) {
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
	all := []string{confirmed, refunded, unreached}
	tellRefunded(t, refunded) // overtakes the order's own events
	for _, id := range all {
		t.Event(id, &schemas.OrderPlaced{
			OrderID: id, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa", Currency: "EUR",
			Total: conformTotal, PlacedAt: t.Now(),
			Lines: []schemas.OrderLine{{SKU: "tea", Quantity: 1, UnitPrice: conformTotal}},
		})
		t.Event(id, &schemas.OrderConfirmed{OrderID: id, Currency: "EUR", Total: conformTotal, ConfirmedAt: t.Now()})
	}
	tellClaimed(t, time.Hour)
	tellAnswered(t, confirmed, mail.Confirmation, mail.Sent)
	tellAnswered(t, refunded, mail.Confirmation, mail.Sent)
	tellAnswered(t, unreached, mail.Confirmation, mail.Refused)

	words := "Ordered by mistake"
	for _, id := range []string{refunded, unreached} {
		t.Event(id, &schemas.OrderCancelled{
			OrderID: id, Reason: schemas.CancellationReasonCustomerRequest, Detail: &words, Currency: "EUR",
			Total: conformTotal, CancelledAt: t.Now(),
		})
	}
	tellClaimed(t, 2*time.Hour)
	tellAnswered(t, refunded, mail.Cancellation, mail.Sent)
	tellAnswered(t, unreached, mail.Cancellation, mail.Expired)
	tellRefunded(t, unreached)
	tellClaimed(t, 3*time.Hour)
	tellAnswered(t, refunded, mail.Refund, mail.Sent)
	tellAnswered(t, unreached, mail.Refund, mail.Sent)
}

func tellRefunded(t *teller, id string) {
	t.Event(id, &schemas.PaymentRefunded{OrderID: id, Amount: conformTotal, Currency: "EUR", RefundedAt: t.Now()})
}

// tellClaimed claims the mails that are due, so much later that no lease is left.
func tellClaimed(t *teller, later time.Duration) {
	now := t.Now().Add(later)
	t.Aside(func(ctx context.Context, db *sqldb.DB) error {
		_, err := store.Leases(time.Minute).Claim(ctx, db, nil, now, 10)
		return err
	})
}

func tellAnswered(t *teller, id string, kind mail.Kind, outcome mail.Outcome) {
	t.Tell(work.ScopeCall, id, store.Message{Message: mail.Answer{
		OrderID: id, Kind: kind, Outcome: outcome, At: t.Now(),
	}})
}
