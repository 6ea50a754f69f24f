package mail

import "time"

// OrderCancelled says that the order is off, and why.
type OrderCancelled struct {
	OrderID  string
	Reason   Reason
	Detail   string // the customer's own words, may be empty. Personal data: never log it
	Total    int64  // minor units
	Currency string
	At       time.Time
}

// Needs names the order's log.
func (m OrderCancelled) Needs() Needs { return Needs{Logs: []string{m.OrderID}} }

// Decide records that the order is cancelled. The first reason stays.
func (m OrderCancelled) Decide(room *Room) ([]Event, error) {
	return room.decide(m.OrderID, m.At, func(l *Log, _ time.Time) error {
		if !l.Cancelled {
			l.Cancelled, l.Reason, l.Detail = true, m.Reason, m.Detail
		}
		return l.price(m.Total, m.Currency)
	})
}
