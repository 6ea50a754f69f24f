package mail

import "time"

// OrderConfirmed says that the customer will get what they ordered.
type OrderConfirmed struct {
	OrderID  string
	Total    int64 // minor units
	Currency string
	At       time.Time
}

// Needs names the order's log.
func (m OrderConfirmed) Needs() Needs { return Needs{Logs: []string{m.OrderID}} }

// Decide records that the order is confirmed.
func (m OrderConfirmed) Decide(room *Room) ([]Event, error) {
	return room.decide(m.OrderID, m.At, func(l *Log, _ time.Time) error {
		l.Confirmed = true
		return l.price(m.Total, m.Currency)
	})
}
