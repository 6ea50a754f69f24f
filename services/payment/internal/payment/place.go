package payment

import (
	"fmt"
	"time"
)

// OrderPlaced says what the order costs and by which method the customer pays.
type OrderPlaced struct {
	OrderID  string
	Amount   int64 // minor units
	Currency string
	Method   string // personal data: never log it
	At       time.Time
}

// Needs names the order's payment.
func (m OrderPlaced) Needs() Needs { return Needs{Payments: []string{m.OrderID}} }

// Decide records that the order wants to be paid.
func (m OrderPlaced) Decide(till *Till) ([]Event, error) {
	return till.decide(m.OrderID, m.At, func(p *Payment) error {
		if m.Method == "" {
			return fmt.Errorf("%w: the payment method is missing", ErrInvalid)
		}
		if p.Placed && p.Method != m.Method {
			return fmt.Errorf("%w: placed before with another payment method", ErrContradiction)
		}
		if err := p.price(m.Amount, m.Currency); err != nil {
			return err
		}
		p.Placed, p.Method = true, m.Method
		return nil
	})
}
