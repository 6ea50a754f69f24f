package notification

import (
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

const (
	benchOrders = 500 // a round
	benchTotal  = 4_200
)

// BenchmarkHandler measures all that a confirmed order asks of notification: OrderPlaced, OrderConfirmed, the mail
// server's answer. The mails are claimed in between, untimed, as they are claimed in transactions of their own.
func BenchmarkHandler(b *testing.B) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		b.Fatal(err)
	}
	defer schemaRegistry.Close()
	servicetest.Benchmark(b, schemaRegistry, Definition(Config{}.WithDefaults()), servicetest.Scenario[store.Message]{
		Round: func(d *servicetest.Driver[store.Message], _ int) { confirm(b, d) },
	})
}

func confirm(b *testing.B, d *servicetest.Driver[store.Message]) {
	var messages []work.Message[store.Message]
	d.Untimed(func() {
		for range benchOrders {
			id := event.NewID()
			messages = append(messages,
				d.Event("order.events", id, &schemas.OrderPlaced{
					OrderID: id, CustomerID: "customer", Email: "ada@example.com", PaymentMethod: "tok_visa",
					Currency: "EUR", Total: benchTotal, PlacedAt: event.Now(time.Now),
					Lines: []schemas.OrderLine{{SKU: "tea-001", Quantity: 2, UnitPrice: benchTotal / 2}},
				}),
				d.Event("order.events", id, &schemas.OrderConfirmed{
					OrderID: id, Currency: "EUR", Total: benchTotal, ConfirmedAt: event.Now(time.Now),
				}))
		}
	})
	d.Take(messages)

	d.Untimed(func() {
		calls, err := store.Leases(0).Claim(b.Context(), d.DB, nil, event.Now(time.Now), benchOrders)
		if err != nil || len(calls) != benchOrders {
			b.Fatalf("claimed %d mails of %d, error %v", len(calls), benchOrders, err)
		}
		messages = messages[:0]
		for _, call := range calls {
			messages = append(messages, answered(call, mail.Sent, event.Now(time.Now)))
		}
	})
	d.Take(messages)
}
