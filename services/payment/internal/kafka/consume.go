// Package kafka translates between the contracts and the domain.
package kafka

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Input maps a consumed event to what it asks of the domain.
func Input(e event.Event, arrived time.Time) (payment.Message, bool, error) {
	switch data := e.Data.(type) {
	case *schemas.OrderPlaced:
		return payment.OrderPlaced{
			OrderID: e.Key, Amount: data.Total, Currency: data.Currency, Method: data.PaymentMethod, At: arrived,
		}, true, kafka.CheckKey(e, data.OrderID)
	case *schemas.StockReserved:
		return payment.StockReserved{OrderID: e.Key, At: arrived}, true, kafka.CheckKey(e, data.OrderID)
	case *schemas.OrderConfirmed:
		return payment.OrderConfirmed{
			OrderID: e.Key, Amount: data.Total, Currency: data.Currency, At: arrived,
		}, true, kafka.CheckKey(e, data.OrderID)
	case *schemas.OrderCancelled:
		return payment.OrderCancelled{
			OrderID: e.Key, Amount: data.Total, Currency: data.Currency, At: arrived,
		}, true, kafka.CheckKey(e, data.OrderID)
	}
	return nil, false, nil
}
