package stock

import "time"

// OrderCancelled releases what is held for an order and puts back what was sold. If it overtakes OrderPlaced, it leaves
// a mark that keeps the late one from holding anything.
type OrderCancelled struct {
	OrderID string
	At      time.Time
}

// Needs names the order.
func (m OrderCancelled) Needs() Needs { return Needs{Orders: []string{m.OrderID}} }

// Decide leads to exactly one Released an order, whatever was held.
func (m OrderCancelled) Decide(s *Stock) ([]Event, error) {
	if err := checkOrder(m.OrderID, m.At); err != nil {
		return nil, err
	}
	r := s.reservation(m.OrderID)
	if r.Cancelled {
		return nil, nil
	}
	r.Cancelled = true
	return s.settle(r, m.At)
}
