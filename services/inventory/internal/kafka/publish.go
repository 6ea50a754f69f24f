package kafka

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// Publish maps a domain event to the contract. False: it stays private.
func Publish(e stock.Event) (event.Event, bool) {
	switch e := e.(type) {
	case stock.Reserved:
		return envelope(e.OrderID, e.Version, e.At, &schemas.StockReserved{
			OrderID: e.OrderID, Lines: lines(e.Lines), ReservedAt: e.At,
		}), true
	case stock.ReservationFailed:
		shortages := make([]schemas.Shortage, len(e.Shortages))
		for i, s := range e.Shortages {
			shortages[i] = schemas.Shortage{SKU: s.SKU, Requested: s.Requested, Available: s.Available}
		}
		return envelope(e.OrderID, e.Version, e.At, &schemas.StockReservationFailed{
			OrderID: e.OrderID, Reason: schemas.ReservationFailure(e.Reason), Shortages: shortages, FailedAt: e.At,
		}), true
	case stock.Committed:
		return envelope(e.OrderID, e.Version, e.At, &schemas.StockCommitted{
			OrderID: e.OrderID, Lines: lines(e.Lines), CommittedAt: e.At,
		}), true
	case stock.Released:
		return envelope(e.OrderID, e.Version, e.At, &schemas.StockReleased{
			OrderID: e.OrderID, Lines: lines(e.Lines), ReleasedAt: e.At,
		}), true
	case stock.ProductUpdated:
		return envelope(e.SKU, e.Version, e.At, &schemas.ProductUpdated{
			SKU: e.SKU, Name: e.Name, Price: e.Price, Currency: e.Currency, Version: e.Version, UpdatedAt: e.At,
		}), true
	}
	return event.Event{}, false
}

func envelope(key string, version int64, at time.Time, data schemas.InventoryEvent) event.Event {
	return event.Event{Key: key, Sequence: version, Time: at, Data: data}
}

func lines(held []stock.Line) []schemas.StockLine {
	lines := make([]schemas.StockLine, len(held))
	for i, l := range held {
		lines[i] = schemas.StockLine{SKU: l.SKU, Quantity: l.Quantity}
	}
	return lines
}
