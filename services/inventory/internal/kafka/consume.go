// Package kafka translates between the contracts and the domain.
package kafka

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// Input maps a consumed event to what it asks of the domain.
func Input(e event.Event, arrived time.Time) (stock.Message, bool, error) {
	switch data := e.Data.(type) {
	case *schemas.OrderPlaced:
		lines := make([]stock.Line, len(data.Lines))
		for i, l := range data.Lines {
			lines[i] = stock.Line{SKU: l.SKU, Quantity: l.Quantity}
		}
		return stock.OrderPlaced{OrderID: e.Key, Lines: lines, At: arrived}, true, kafka.CheckKey(e, data.OrderID)
	case *schemas.OrderConfirmed:
		return stock.OrderConfirmed{OrderID: e.Key, At: arrived}, true, kafka.CheckKey(e, data.OrderID)
	case *schemas.OrderCancelled:
		return stock.OrderCancelled{OrderID: e.Key, At: arrived}, true, kafka.CheckKey(e, data.OrderID)
	}
	return nil, false, nil
}
