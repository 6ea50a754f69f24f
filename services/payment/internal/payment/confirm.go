package payment

import "time"

// OrderConfirmed says that the money may be taken.
type OrderConfirmed struct {
	OrderID  string
	Amount   int64 // minor units
	Currency string
	At       time.Time
}

// Needs names the order's payment.
func (m OrderConfirmed) Needs() Needs { return Needs{Payments: []string{m.OrderID}} }

// Decide records that the order is confirmed.
func (m OrderConfirmed) Decide(till *Till) ([]Event, error) {
	return till.decide(m.OrderID, m.At, func(p *Payment) error {
		p.Confirmed = true
		return p.price(m.Amount, m.Currency)
	})
}
