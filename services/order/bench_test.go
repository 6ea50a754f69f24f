package order

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service/servicetest"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/order/internal/api"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

const (
	benchSKUs   = 50
	benchLines  = 3
	benchPrice  = 100
	benchOrders = 1000 // a round
	// benchBehind is how many orders are answered between two answers to one.
	benchBehind = 125
)

// BenchmarkHandler measures the four answers to an order that is confirmed, StockReserved, PaymentAuthorized,
// StockCommitted and PaymentCaptured, side by side for different orders as they arrive under load.
func BenchmarkHandler(b *testing.B) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		b.Fatal(err)
	}
	defer schemaRegistry.Close()
	servicetest.Benchmark(b, schemaRegistry, Definition(Config{}.WithDefaults()), servicetest.Scenario[order.Message]{
		Stage: func(d *servicetest.Driver[order.Message]) { d.Take(products(d)) },
		Round: func(d *servicetest.Driver[order.Message], _ int) {
			var messages []work.Message[order.Message]
			d.Untimed(func() {
				placed, ids := place(d)
				d.Take(placed)
				messages = answers(d, ids)
			})
			d.Take(messages)
		},
	})
}

func benchSKU(n int) string { return fmt.Sprintf("sku-%02d", n%benchSKUs) }

func products(d *servicetest.Driver[order.Message]) []work.Message[order.Message] {
	var messages []work.Message[order.Message]
	for n := range benchSKUs {
		m := d.Event("product.events", benchSKU(n), &schemas.ProductUpdated{
			SKU: benchSKU(n), Name: benchSKU(n), Price: benchPrice, Currency: "EUR", Version: 1,
			UpdatedAt: event.Now(time.Now),
		})
		m.Unlogged = true
		messages = append(messages, m)
	}
	return messages
}

func place(d *servicetest.Driver[order.Message]) (messages []work.Message[order.Message], ids []string) {
	for i := range benchOrders {
		id := event.NewID()
		in := order.Place{
			OrderID: id, CustomerID: "customer", Email: "ada@example.com", PaymentMethod: "tok_visa",
			At: event.Now(time.Now), Timeout: time.Hour,
		}
		for n := range benchLines {
			in.Lines = append(in.Lines, order.Item{SKU: benchSKU(i + 17*n), Quantity: 1})
		}
		messages, ids = append(messages, d.Message("POST /v1/orders", "", id, in)), append(ids, id)
	}
	return messages, ids
}

func answers(d *servicetest.Driver[order.Message], ids []string) []work.Message[order.Message] {
	const total = benchLines * benchPrice
	at := event.Now(time.Now)
	steps := []func(id string) work.Message[order.Message]{
		func(id string) work.Message[order.Message] {
			return d.Event("inventory.events", id, &schemas.StockReserved{OrderID: id, ReservedAt: at})
		},
		func(id string) work.Message[order.Message] {
			return d.Event("payment.events", id, &schemas.PaymentAuthorized{
				OrderID: id, Amount: total, Currency: "EUR", AuthorizedAt: at,
			})
		},
		func(id string) work.Message[order.Message] {
			return d.Event("inventory.events", id, &schemas.StockCommitted{OrderID: id, CommittedAt: at})
		},
		func(id string) work.Message[order.Message] {
			return d.Event("payment.events", id, &schemas.PaymentCaptured{
				OrderID: id, Amount: total, Currency: "EUR", CapturedAt: at,
			})
		},
	}
	var messages []work.Message[order.Message]
	for i := range len(ids) + benchBehind*(len(steps)-1) {
		for n, step := range steps {
			if k := i - n*benchBehind; k >= 0 && k < len(ids) {
				messages = append(messages, step(ids[k]))
			}
		}
	}
	return messages
}

// BenchmarkPlace measures POST /v1/orders through the service's handler, from the request's bytes to the answer's, for
// callers who each wait for their answer before they ask again: concurrent ones share transactions.
func BenchmarkPlace(b *testing.B) {
	schemaRegistry, err := registry.Open(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		b.Fatal(err)
	}
	defer schemaRegistry.Close()
	for _, database := range []string{"sqlite", "postgres"} {
		for _, callers := range []int{1, 16, 128} {
			b.Run(fmt.Sprintf("%s/callers=%d", database, callers), func(b *testing.B) {
				placeBy(b, serveOrders(b, database, schemaRegistry), callers)
			})
		}
	}
}

// serveOrders starts the service without Kafka and returns its HTTP API.
func serveOrders(b *testing.B, database string, schemaRegistry http.Handler) http.Handler {
	b.Helper()
	cfg := Config{}.WithDefaults()
	def := Definition(cfg)
	db := servicetest.Database(b, database, def.Migrations)
	tel, err := telemetry.Start(b.Context(), telemetry.Config{Service: def.Name, LogTo: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	unit := work.New(work.Service[order.Message, *order.Book, order.Event]{
		Name: def.Name, Load: def.Load, Save: def.Save, Publish: def.Publish,
		Encode: servicetest.Encoder(servicetest.Codec(b, schemaRegistry, def.Publishes)),
	}, db, work.Config{Logger: tel.Logger})
	mux, routes := httpapi.New(httpapi.Config{
		Title: def.Title, Logger: tel.Logger, Tracer: tel.Tracer, Meter: tel.Meter,
	})
	parts := &api.Parts{Config: cfg.Config, DB: db, Unit: unit, Telemetry: tel}
	def.Routes(routes, parts)

	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range append(def.Background(parts), unit.Run) {
		running.Go(func() {
			if err := run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
	b.Cleanup(func() { stop(); running.Wait() })
	stock := make([]work.Message[order.Message], benchSKUs)
	for n := range stock {
		stock[n] = work.Message[order.Message]{
			Scope: "product.events", ID: benchSKU(n), Key: benchSKU(n), Unlogged: true, Input: order.ProductUpdated{
				SKU: benchSKU(n), Name: benchSKU(n), Price: benchPrice, Currency: "EUR", Version: 1,
			},
		}
	}
	if refused, err := unit.Take(ctx, stock); err != nil || len(refused) > 0 {
		b.Fatalf("stock: refused %v, error %v", refused, err)
	}
	return mux
}

func placeBy(b *testing.B, handler http.Handler, callers int) {
	const body = `{"customer_id":"ada","email":"ada@example.com","payment_method":"tok_visa",
		"lines":[{"sku":"sku-01","quantity":1},{"sku":"sku-18","quantity":1},{"sku":"sku-35","quantity":1}]}`
	var asked atomic.Int64
	b.ResetTimer()
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for asked.Add(1) <= int64(b.N) {
				req := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(body))
				req.Header.Set("Content-Type", "application/json")
				res := httptest.NewRecorder()
				handler.ServeHTTP(res, req)
				if res.Code != http.StatusAccepted {
					b.Errorf("answered %d: %s", res.Code, res.Body)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}
