package order

import "time"

// Answered is what inventory or payment said about an order.
type Answered struct {
	OrderID string
	At      time.Time
	// Answer is a value, such as StockReserved{}; its Head is not read.
	Answer Answer
}

// Needs names the order.
func (m Answered) Needs() Needs { return Needs{Orders: []string{m.OrderID}} }

// Decide records the answer, unless one of its kind was recorded before, and leads to what follows from it: Confirmed,
// Cancelled or nothing more.
func (m Answered) Decide(b *Book) ([]Event, error) {
	if err := checkTime(m.At); err != nil {
		return nil, err
	}
	o := b.Orders[m.OrderID]
	if o == nil {
		return nil, ErrUnknownOrder
	}
	known := o.fact(m.Answer)
	if known == nil {
		return nil, ErrUnknownAnswer
	}
	if !known.IsZero() {
		return nil, nil
	}
	return append([]Event{o.raise(m.At, m.Answer)}, o.settle(m.At)...), nil
}
