package stock

import "time"

// OrderConfirmed turns what is held for an order into what is sold. If it overtakes OrderPlaced, it waits for it.
type OrderConfirmed struct {
	OrderID string
	At      time.Time
}

// Needs names the order.
func (m OrderConfirmed) Needs() Needs { return Needs{Orders: []string{m.OrderID}} }

// Decide leads to Committed, unless nothing is held.
func (m OrderConfirmed) Decide(s *Stock) ([]Event, error) {
	if err := checkOrder(m.OrderID, m.At); err != nil {
		return nil, err
	}
	r := s.reservation(m.OrderID)
	if r.Confirmed {
		return nil, nil
	}
	r.Confirmed = true
	return s.settle(r, m.At)
}
