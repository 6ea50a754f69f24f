package payment

import "time"

// StockReserved says that all lines of the order are held in stock, so that asking for money is worth while.
type StockReserved struct {
	OrderID string
	At      time.Time
}

// Needs names the order's payment.
func (m StockReserved) Needs() Needs { return Needs{Payments: []string{m.OrderID}} }

// Decide records that the stock is held.
func (m StockReserved) Decide(till *Till) ([]Event, error) {
	return till.decide(m.OrderID, m.At, func(p *Payment) error {
		p.Reserved = true
		return nil
	})
}
