package kafka

import (
	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Publish maps a domain event to the contract. False: it stays private.
func Publish(e order.Event) (event.Event, bool) {
	head := e.Header()
	var data schemas.OrderEvent
	switch e := e.(type) {
	case order.Placed:
		lines := make([]schemas.OrderLine, len(e.Lines))
		for i, l := range e.Lines {
			lines[i] = schemas.OrderLine{SKU: l.SKU, Quantity: l.Quantity, UnitPrice: l.UnitPrice}
		}
		placed := &schemas.OrderPlaced{
			OrderID: head.OrderID, CustomerID: e.CustomerID, Email: e.Email, PaymentMethod: e.PaymentMethod,
			Currency: e.Currency, Total: e.Total, Lines: lines, PlacedAt: head.At,
		}
		if e.SalesChannel != "" {
			placed.SalesChannel = &e.SalesChannel
		}
		data = placed
	case order.Confirmed:
		data = &schemas.OrderConfirmed{
			OrderID: head.OrderID, Currency: e.Currency, Total: e.Total, ConfirmedAt: head.At,
		}
	case order.Cancelled:
		cancelled := &schemas.OrderCancelled{
			OrderID: head.OrderID, Reason: schemas.CancellationReason(e.Reason), Currency: e.Currency, Total: e.Total,
			CancelledAt: head.At,
		}
		if e.Detail != "" {
			cancelled.Detail = &e.Detail
		}
		data = cancelled
	default:
		return event.Event{}, false
	}
	return event.Event{Key: head.OrderID, Sequence: head.Version, Time: head.At, Data: data}, true
}
