package mail

import (
	"fmt"
	"time"
)

// idSize bounds an order id, which becomes a part of Message-IDs.
const idSize = 128

// Room holds the logs that one batch of messages needs, by order id. One that is absent is not known yet.
type Room struct {
	Logs map[string]*Log
}

// Needs names what must be loaded into the Room before a message is decided.
type Needs struct {
	// Logs are order ids.
	Logs []string
}

// Message is what changes a log. Decide is total: it returns an error, having changed nothing, for whatever it cannot
// accept, and never panics.
type Message interface {
	Decide(*Room) ([]Event, error)
	Needs() Needs
}

// decide lets apply add its facts to a copy of the log, and puts the copy in place only when all is well. That is what
// leaves the room untouched after an error. Apply is given the time of the change, which never runs back.
func (r *Room) decide(orderID string, at time.Time, apply func(l *Log, at time.Time) error) ([]Event, error) {
	if !isID(orderID) {
		return nil, fmt.Errorf("%w: %.200q is no order id", ErrInvalid, orderID)
	}
	if at.IsZero() {
		return nil, fmt.Errorf("%w: the time is missing", ErrInvalid)
	}
	known := r.Logs[orderID]
	before := Log{OrderID: orderID}
	if known != nil {
		before = *known
	}
	if at.Before(before.UpdatedAt) {
		at = before.UpdatedAt
	}

	after := before
	if err := apply(&after, at); err != nil {
		return nil, fmt.Errorf("mails of order %q: %w", orderID, err)
	}
	if after == before {
		return nil, nil
	}
	after.settle(at)
	after.UpdatedAt = at
	events := happened(&before, &after)
	after.Version += max(1, int64(len(events)))

	if known != nil {
		*known = after
		return events, nil
	}
	if r.Logs == nil {
		r.Logs = make(map[string]*Log)
	}
	r.Logs[orderID] = &after
	return events, nil
}

// settle works out which mails there is a reason for, and whose turn it is. A confirmation that is only learnt after
// the cancellation is not told any more.
func (l *Log) settle(at time.Time) {
	for i, reason := range [Kinds]bool{l.Confirmed && !l.Cancelled, l.Cancelled, l.Refunded > 0} {
		if reason && l.Mails[i].CreatedAt.IsZero() {
			l.Mails[i].CreatedAt = at
		}
	}
	if kind, due := l.next(); due && l.Mails[kind.Index()].DueAt.IsZero() {
		l.Mails[kind.Index()].DueAt = at
	}
}

// price records the order's total, which every event of the order repeats.
func (l *Log) price(total int64, currency string) error {
	if total <= 0 {
		return fmt.Errorf("%w: the total %d is not positive", ErrInvalid, total)
	}
	if l.Total != 0 && l.Total != total {
		return fmt.Errorf("%w: the total is %d, was %d", ErrContradiction, total, l.Total)
	}
	l.Total = total
	return l.pay(currency)
}

// pay records the currency, which is that of every amount.
func (l *Log) pay(currency string) error {
	if !isCurrency(currency) {
		return fmt.Errorf("%w: %.20q is no ISO 4217 code", ErrInvalid, currency)
	}
	if l.Currency != "" && l.Currency != currency {
		return fmt.Errorf("%w: the currency is %s, was %s", ErrContradiction, currency, l.Currency)
	}
	l.Currency = currency
	return nil
}

func isCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for i := range len(code) {
		if code[i] < 'A' || code[i] > 'Z' {
			return false
		}
	}
	return true
}

// isID reports whether a Message-ID can begin with it. Every UUID is one.
func isID(text string) bool {
	if text == "" || len(text) > idSize {
		return false
	}
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
