package order

import "time"

// TimedOut is due when the Deadline of an order has passed.
type TimedOut struct {
	OrderID string
	At      time.Time
}

// Needs names the order.
func (m TimedOut) Needs() Needs { return Needs{Orders: []string{m.OrderID}} }

// Decide leads to Cancelled, or to nothing if the order is no longer pending.
func (m TimedOut) Decide(b *Book) ([]Event, error) {
	if err := checkTime(m.At); err != nil {
		return nil, err
	}
	o := b.Orders[m.OrderID]
	if o == nil {
		return nil, ErrUnknownOrder
	}
	if o.Status != StatusPending {
		return nil, nil
	}
	return []Event{o.raise(m.At, o.cancelled(ReasonTimedOut, ""))}, nil
}
