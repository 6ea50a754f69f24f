// Package kafka translates between the contracts and the domain.
package kafka

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Input maps a consumed event to what it asks of the domain.
func Input(e event.Event, arrived time.Time) (order.Message, bool, error) {
	if e.Data == nil { // the tombstone of a product; no other topic of ours has any
		return order.ProductWithdrawn{SKU: e.Key, Version: e.Sequence}, true, nil
	}
	if p, ok := e.Data.(*schemas.ProductUpdated); ok {
		return order.ProductUpdated{
			SKU: p.SKU, Name: p.Name, Price: p.Price, Currency: p.Currency, Version: p.Version,
		}, true, kafka.CheckKey(e, p.SKU)
	}
	answer, orderID := answerOf(e.Data)
	if answer == nil {
		return nil, false, nil
	}
	return order.Answered{OrderID: orderID, At: arrived, Answer: answer}, true, kafka.CheckKey(e, orderID)
}

// answerOf returns what inventory or payment said, and about which order; nil if data is something else.
func answerOf(data any) (answer order.Answer, orderID string) {
	switch d := data.(type) {
	case *schemas.StockReserved:
		return order.StockReserved{}, d.OrderID
	case *schemas.StockReservationFailed:
		failed := order.StockReservationFailed{Reason: string(d.Reason)}
		for _, s := range d.Shortages {
			failed.Shortages = append(failed.Shortages, order.Shortage(s))
		}
		return failed, d.OrderID
	case *schemas.StockCommitted:
		return order.StockCommitted{}, d.OrderID
	case *schemas.StockReleased:
		released := order.StockReleased{}
		for _, l := range d.Lines {
			released.Lines = append(released.Lines, order.StockLine(l))
		}
		return released, d.OrderID
	case *schemas.PaymentAuthorized:
		return order.PaymentAuthorized{Amount: d.Amount, Currency: d.Currency}, d.OrderID
	case *schemas.PaymentDeclined:
		return order.PaymentDeclined{Reason: string(d.Reason)}, d.OrderID
	case *schemas.PaymentCaptured:
		return order.PaymentCaptured{Amount: d.Amount, Currency: d.Currency}, d.OrderID
	case *schemas.PaymentCaptureFailed:
		return order.PaymentCaptureFailed{Reason: string(d.Reason)}, d.OrderID
	case *schemas.PaymentVoided:
		return order.PaymentVoided{Amount: d.Amount, Currency: d.Currency, SettledByHand: d.SettledByHand}, d.OrderID
	case *schemas.PaymentRefunded:
		return order.PaymentRefunded{Amount: d.Amount, Currency: d.Currency, SettledByHand: d.SettledByHand}, d.OrderID
	}
	return nil, ""
}
