package stock

import "time"

// Kind of a movement.
type Kind string

// A movement goes from one level to another. Their sum over the life of a sku gives its levels.
const (
	// KindRestocked adds to available.
	KindRestocked Kind = "restocked"
	// KindReserved takes from available to reserved.
	KindReserved Kind = "reserved"
	// KindCommitted takes from reserved to sold.
	KindCommitted Kind = "committed"
	// KindReleased takes from reserved back to available.
	KindReleased Kind = "released"
	// KindReturned takes from sold back to available.
	KindReturned Kind = "returned"
)

// Movement is one line of the append-only record of why levels changed.
type Movement struct {
	SKU string
	// OrderID is empty for a restock.
	OrderID  string
	Kind     Kind
	Quantity int64
	// Version is the reservation's or, without an order, the product's: (OrderID, SKU, Version) is unique.
	Version int64
	At      time.Time
}

// Movements returns what an event moved, nothing for most.
func Movements(e Event) []Movement {
	switch e := e.(type) {
	case Restocked:
		return []Movement{{SKU: e.SKU, Kind: KindRestocked, Quantity: e.Quantity, Version: e.Version, At: e.At}}
	case Reserved:
		return movements(KindReserved, e.OrderID, e.Lines, e.Version, e.At)
	case Committed:
		return movements(KindCommitted, e.OrderID, e.Lines, e.Version, e.At)
	case Released:
		if e.From == StatusCommitted {
			return movements(KindReturned, e.OrderID, e.Lines, e.Version, e.At)
		}
		return movements(KindReleased, e.OrderID, e.Lines, e.Version, e.At)
	}
	return nil
}

func movements(kind Kind, orderID string, lines []Line, version int64, at time.Time) []Movement {
	moved := make([]Movement, len(lines))
	for i, l := range lines {
		moved[i] = Movement{SKU: l.SKU, OrderID: orderID, Kind: kind, Quantity: l.Quantity, Version: version, At: at}
	}
	return moved
}
