package inventory

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// Model is the service's decisions alone, over a state in memory. Tests that search the interleavings of a whole saga
// are made of it.
type Model struct {
	work.Model[stock.Message, *stock.Stock, stock.Event]
}

// NewModel returns a Model without products or reservations.
func NewModel() *Model {
	return &Model{work.Model[stock.Message, *stock.Stock, stock.Event]{
		Name: Name, State: &stock.Stock{}, Input: kafka.Input, Publish: kafka.Publish,
	}}
}

// Put creates a product and returns what is published.
func (m *Model) Put(sku string, price, quantity int64, at time.Time) ([]event.Event, error) {
	published, err := m.Decide(stock.PutProduct{SKU: sku, Name: sku, Price: price, Currency: "EUR", At: at},
		event.Cause{ID: "put/" + sku})
	if err != nil || quantity == 0 {
		return published, err
	}
	_, err = m.Decide(stock.Restock{SKU: sku, Quantity: quantity, At: at}, event.Cause{ID: "restock/" + sku})
	return published, err
}

// Levels of a product.
func (m *Model) Levels(sku string) (available, reserved, sold int64) {
	p := m.State.Products[sku]
	if p == nil {
		return 0, 0, 0
	}
	return p.Available, p.Reserved, p.Sold
}
