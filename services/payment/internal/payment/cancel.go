package payment

import "time"

// OrderCancelled says that whatever was done for the order must be undone. It carries the order's total because it may
// be the first that is heard of the order, and is answered all the same.
type OrderCancelled struct {
	OrderID  string
	Amount   int64 // minor units
	Currency string
	At       time.Time
}

// Needs names the order's payment.
func (m OrderCancelled) Needs() Needs { return Needs{Payments: []string{m.OrderID}} }

// Decide records that the order is cancelled. Each cancellation is answered by one Voided or Refunded: at once if the
// gateway was never called, otherwise after it has answered.
func (m OrderCancelled) Decide(till *Till) ([]Event, error) {
	return till.decide(m.OrderID, m.At, func(p *Payment) error {
		p.Cancelled = true
		return p.price(m.Amount, m.Currency)
	})
}
