package stock_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// Many orders share few skus, and messages come in any order, repeated, late, or nonsense. step checks the guarantees
// after each; here what came in is counted over the whole run.
func TestStockIsConserved(t *testing.T) {
	skus := []string{"cup", "pot", "tea", "unknown", ""}
	orders := []string{"o1", "o2", "o3", "o4", "o5", ""}
	anyTime := rapid.Custom(func(t *rapid.T) time.Time { return at(rapid.IntRange(-10, 10).Draw(t, "minute")) })
	quantity := rapid.OneOf(
		rapid.Int64Range(1, 5),
		rapid.SampledFrom([]int64{math.MinInt64, -1, 0, stock.MaxLevel, math.MaxInt64}),
	)
	message := rapid.Custom(func(t *rapid.T) stock.Message {
		order := rapid.SampledFrom(orders).Draw(t, "order")
		sku := rapid.SampledFrom(skus).Draw(t, "sku")
		at := anyTime.Draw(t, "at")
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0, 1, 2:
			lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stock.Line {
				return stock.Line{
					SKU:      rapid.SampledFrom(skus[:4]).Draw(t, "line sku"),
					Quantity: rapid.OneOf(rapid.Int64Range(1, 5), quantity).Draw(t, "line quantity"),
				}
			}), 0, 4).Draw(t, "lines")
			return stock.OrderPlaced{OrderID: order, Lines: lines, At: at}
		case 3:
			return stock.OrderConfirmed{OrderID: order, At: at}
		case 4:
			return stock.OrderCancelled{OrderID: order, At: at}
		case 5:
			return stock.Restock{SKU: sku, Quantity: quantity.Draw(t, "quantity"), At: at}
		case 6:
			return stock.Republish{SKU: sku, Version: rapid.Int64Range(0, 5).Draw(t, "version"), At: at}
		}
		return stock.PutProduct{
			SKU: sku, Name: rapid.StringN(0, 3, -1).Draw(t, "name"), Price: quantity.Draw(t, "price"),
			Currency: rapid.SampledFrom([]string{"EUR", "USD", "eur"}).Draw(t, "currency"), At: at,
			RepublishAfter: time.Duration(rapid.Int64().Draw(t, "after")),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := &stock.Stock{}
		cameIn := make(map[string]int64)
		released := make(map[string]int)
		for _, sku := range skus[:3] {
			run(t, s, stock.PutProduct{SKU: sku, Name: sku, Price: 1, Currency: "EUR", At: start}, cameIn, released)
			run(t, s, stock.Restock{SKU: sku, Quantity: rapid.Int64Range(1, 12).Draw(t, "initial"), At: start},
				cameIn, released)
		}
		for _, m := range rapid.SliceOfN(message, 1, 40).Draw(t, "messages") {
			run(t, s, m, cameIn, released)
			for sku, p := range s.Products {
				if p.Available+p.Reserved+p.Sold != cameIn[sku] {
					t.Fatalf("G4: %s has %+v, but %d came in", sku, *p, cameIn[sku])
				}
			}
			for id, r := range s.Reservations {
				if want := map[bool]int{true: 1}[r.Cancelled]; released[id] != want {
					t.Fatalf("order %s was released %d times, want %d", id, released[id], want)
				}
			}
		}
	})
}

func run(t tb, s *stock.Stock, m stock.Message, cameIn map[string]int64, released map[string]int) {
	events, _ := step(t, s, m) // a refusal is legal here, and step has checked that it changed nothing
	for _, e := range events {
		switch e := e.(type) {
		case stock.Restocked:
			cameIn[e.SKU] += e.Quantity
		case stock.Released:
			released[e.OrderID]++
		}
	}
}
