package mail

import (
	"fmt"
	"time"
)

// PaymentRefunded says that the customer gets money back.
type PaymentRefunded struct {
	OrderID  string
	Amount   int64 // minor units; 0 if nothing was taken, which is not worth a mail
	Currency string
	At       time.Time
}

// Needs names the order's log.
func (m PaymentRefunded) Needs() Needs { return Needs{Logs: []string{m.OrderID}} }

// Decide records what was given back.
func (m PaymentRefunded) Decide(room *Room) ([]Event, error) {
	return room.decide(m.OrderID, m.At, func(l *Log, _ time.Time) error {
		switch {
		case m.Amount < 0:
			return fmt.Errorf("%w: the amount %d is negative", ErrInvalid, m.Amount)
		case m.Amount == 0:
			return nil
		case l.Refunded != 0 && l.Refunded != m.Amount:
			return fmt.Errorf("%w: refunded %d, was %d", ErrContradiction, m.Amount, l.Refunded)
		}
		l.Refunded = m.Amount
		return l.pay(m.Currency)
	})
}
