package mail

import (
	"fmt"
	"slices"
	"time"
)

// OrderPlaced says where the customer is told, and what was ordered.
type OrderPlaced struct {
	OrderID  string
	Address  string // personal data: never log it
	Domain   string // of the sender, now
	Lines    []Line
	Total    int64 // minor units
	Currency string
	At       time.Time
}

// Needs names the order's log.
func (m OrderPlaced) Needs() Needs { return Needs{Logs: []string{m.OrderID}} }

// Decide records the order. An address that no mail can reach is found out by whoever sends.
func (m OrderPlaced) Decide(room *Room) ([]Event, error) {
	return room.decide(m.OrderID, m.At, func(l *Log, _ time.Time) error {
		if l.Order != nil && (l.Order.Address != m.Address || !slices.Equal(l.Order.Lines, m.Lines)) {
			return fmt.Errorf("%w: placed before with another address or other lines", ErrContradiction)
		}
		if l.Order == nil {
			l.Order = &Order{Address: m.Address, Domain: m.Domain, Lines: slices.Clone(m.Lines)}
		}
		return l.price(m.Total, m.Currency)
	})
}
