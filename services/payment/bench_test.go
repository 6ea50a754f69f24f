package payment

import (
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

const (
	benchOrders = 500 // a round
	benchTotal  = 4_200
)

// BenchmarkHandler measures all that an order asks of payment on its way to capture: OrderPlaced and StockReserved, the
// gateway's answer to authorize, OrderConfirmed, its answer to capture. The calls are claimed in between, untimed, as
// they are claimed in transactions of their own.
func BenchmarkHandler(b *testing.B) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		b.Fatal(err)
	}
	defer schemaRegistry.Close()
	servicetest.Benchmark(b, schemaRegistry, Definition(Config{}.WithDefaults()), servicetest.Scenario[store.Message]{
		Round: func(d *servicetest.Driver[store.Message], _ int) { capture(b, d) },
	})
}

func capture(b *testing.B, d *servicetest.Driver[store.Message]) {
	var messages []work.Message[store.Message]
	ids := make([]string, benchOrders)
	d.Untimed(func() {
		for i := range ids {
			ids[i] = event.NewID()
			messages = append(messages,
				d.Event("order.events", ids[i], &schemas.OrderPlaced{
					OrderID: ids[i], CustomerID: "customer", Email: "ada@example.com", PaymentMethod: "tok_visa",
					Currency: "EUR", Total: benchTotal, PlacedAt: event.Now(time.Now),
				}),
				d.Event("inventory.events", ids[i], &schemas.StockReserved{
					OrderID: ids[i], ReservedAt: event.Now(time.Now),
				}))
		}
	})
	d.Take(messages)

	var calls []store.Call
	d.Untimed(func() {
		calls = claimAll(b, d, nil)
		messages = answers(b, calls, payment.Intent{Authorized: benchTotal})
	})
	d.Take(messages)

	d.Untimed(func() {
		messages = messages[:0]
		for _, id := range ids {
			messages = append(messages, d.Event("order.events", id, &schemas.OrderConfirmed{
				OrderID: id, Currency: "EUR", Total: benchTotal, ConfirmedAt: event.Now(time.Now),
			}))
		}
	})
	d.Take(messages)

	d.Untimed(func() {
		ended := make([]work.Ended[store.Call], len(calls))
		for i, call := range calls {
			ended[i] = work.Ended[store.Call]{Call: call}
		}
		calls = claimAll(b, d, ended)
		messages = answers(b, calls, payment.Intent{Authorized: benchTotal, Captured: benchTotal})
	})
	d.Take(messages)
}

func claimAll(b *testing.B, d *servicetest.Driver[store.Message], ended []work.Ended[store.Call]) []store.Call {
	b.Helper()
	calls, err := store.Leases(0).Claim(b.Context(), d.DB, ended, event.Now(time.Now), benchOrders)
	if err != nil || len(calls) != benchOrders {
		b.Fatalf("claimed %d calls of %d, error %v", len(calls), benchOrders, err)
	}
	return calls
}

// answers are the gateway's, all of them yes.
func answers(b *testing.B, calls []store.Call, intent payment.Intent) []work.Message[store.Message] {
	b.Helper()
	messages := make([]work.Message[store.Message], len(calls))
	for i, call := range calls {
		intent.ID = "pi_" + call.OrderID
		var err error
		messages[i], err = answered(call, payment.Answer{
			OrderID: call.OrderID, Operation: call.Operation, Intent: intent,
		}, event.Now(time.Now))
		if err != nil {
			b.Fatal(err)
		}
	}
	return messages
}
