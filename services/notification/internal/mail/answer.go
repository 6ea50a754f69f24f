package mail

import (
	"fmt"
	"time"
)

// Answer is what became of an attempt to send a mail, if that is final. It may arrive after later ones.
type Answer struct {
	OrderID string
	Kind    Kind
	Outcome Outcome
	At      time.Time
}

// Needs names the order's log.
func (a Answer) Needs() Needs { return Needs{Logs: []string{a.OrderID}} }

// Decide records the outcome. The first one stays: that of another attempt at the same mail changes nothing.
func (a Answer) Decide(room *Room) ([]Event, error) {
	return room.decide(a.OrderID, a.At, func(l *Log, at time.Time) error {
		i := a.Kind.Index()
		if i < 0 {
			return fmt.Errorf("%w: %.20q is no kind of mail", ErrInvalid, a.Kind)
		}
		if a.Outcome != Sent && a.Outcome != Refused && a.Outcome != Expired {
			return fmt.Errorf("%w: %.20q is no outcome", ErrInvalid, a.Outcome)
		}
		m := &l.Mails[i]
		if m.DueAt.IsZero() {
			return fmt.Errorf("%w: an answer to a %s that was never sent", ErrContradiction, a.Kind)
		}
		if m.Outcome == "" {
			m.Outcome, m.EndedAt = a.Outcome, at
		}
		return nil
	})
}
