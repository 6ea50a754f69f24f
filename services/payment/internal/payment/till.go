package payment

import (
	"fmt"
	"time"
)

// Till holds the payments that one batch of messages needs, by order id. One that is absent is not known yet.
type Till struct {
	Payments map[string]*Payment
	// AskBeforeVoid keeps a payment that no call is known of from being voided before the gateway has cancelled it: it
	// may have been called all the same, if the database was restored from a backup.
	AskBeforeVoid bool
}

// Needs names what must be loaded into the Till before a message is decided.
type Needs struct {
	// Payments are order ids.
	Payments []string
}

// Message is what changes a payment. Decide is total: it returns an error, having changed nothing, for whatever it
// cannot accept, and never panics.
type Message interface {
	Decide(*Till) ([]Event, error)
	Needs() Needs
}

// decide lets apply add its facts to a copy of the payment, and puts the copy in place only when all is well. That is
// what leaves the till untouched after an error.
func (t *Till) decide(orderID string, at time.Time, apply func(*Payment) error) ([]Event, error) {
	if orderID == "" {
		return nil, fmt.Errorf("%w: the order id is missing", ErrInvalid)
	}
	known := t.Payments[orderID]
	before := Payment{OrderID: orderID}
	if known != nil {
		before = *known
	}

	after := before
	if err := apply(&after); err != nil {
		return nil, fmt.Errorf("payment of order %q: %w", orderID, err)
	}
	if after.Fenced && after.Captured > 0 {
		return nil, fmt.Errorf("payment of order %q: %w: both captured and cancelled at the gateway", orderID,
			ErrContradiction)
	}
	after.end(t.AskBeforeVoid)
	if after == before {
		return nil, nil
	}
	if at.After(before.UpdatedAt) {
		after.UpdatedAt = at
	}
	events := happened(before, after)
	after.Settlement = Settlement{}
	after.Version += max(1, int64(len(events)))

	if known != nil {
		*known = after
		return events, nil
	}
	if t.Payments == nil {
		t.Payments = make(map[string]*Payment)
	}
	t.Payments[orderID] = &after
	return events, nil
}

// end closes the payment of a cancelled order as soon as nothing can be held or taken any more. Unless it asks first, a
// payment never claimed ends without a call; having ended, it is never claimed.
func (p *Payment) end(ask bool) {
	switch {
	case !p.Cancelled:
	case p.Captured > 0:
		if p.Refunded == p.Captured {
			p.Ended = EndedRefunded
		}
	case p.Fenced || p.Claims == 0 && !ask || p.SettledByHand:
		p.Ended = EndedVoided
	}
}

// price records the order's total, which every event of the order repeats.
func (p *Payment) price(amount int64, currency string) error {
	if amount <= 0 {
		return fmt.Errorf("%w: the total %d is not positive", ErrInvalid, amount)
	}
	if !isCurrency(currency) {
		return fmt.Errorf("%w: %q is no ISO 4217 code", ErrInvalid, currency)
	}
	if p.Currency != "" && (p.Amount != amount || p.Currency != currency) {
		return fmt.Errorf("%w: the total is %d %s, was %d %s", ErrContradiction, amount, currency, p.Amount, p.Currency)
	}
	p.Amount, p.Currency = amount, currency
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
