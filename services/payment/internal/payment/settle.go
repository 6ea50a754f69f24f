package payment

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	// ErrUnknown refuses to settle a payment of which nothing is known.
	ErrUnknown = errors.New("nothing is known of the payment")
	// ErrNotStuck refuses to settle a payment that ends, or has ended, without an operator.
	ErrNotStuck = errors.New("the gateway has not refused for good to undo the payment")
)

// Limits of what an operator says, in bytes.
const (
	MaxOperator = 400
	MaxReason   = 4000
)

// Settlement is what an operator did where the gateway had refused for good, and why.
type Settlement struct {
	Operator, Reason string
}

// Settle says that an operator has given back by other means what the gateway refuses for good to give back, or sees to
// it that the hold is let go.
type Settle struct {
	OrderID string
	Settlement
	At time.Time
}

// Needs names the order's payment.
func (m Settle) Needs() Needs { return Needs{Payments: []string{m.OrderID}} }

// Decide ends a stuck payment as the gateway's answer would have: money that was taken counts as refunded, a hold as
// voided. Any other payment is refused with ErrNotStuck.
func (m Settle) Decide(till *Till) ([]Event, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if p := till.Payments[m.OrderID]; p == nil {
		return nil, fmt.Errorf("payment of order %q: %w", m.OrderID, ErrUnknown)
	}
	return till.decide(m.OrderID, m.At, func(p *Payment) error {
		if !p.Stuck() {
			return ErrNotStuck
		}
		p.Settlement, p.SettledByHand = m.Settlement, true
		p.Refunded = p.Captured
		return nil
	})
}

func (m Settle) check() error {
	for _, text := range []struct {
		what, text string
		limit      int
	}{{"operator", m.Operator, MaxOperator}, {"reason", m.Reason, MaxReason}} {
		switch {
		case strings.TrimSpace(text.text) == "":
			return fmt.Errorf("%w: the %s is missing", ErrInvalid, text.what)
		case len(text.text) > text.limit, !utf8.ValidString(text.text), strings.ContainsRune(text.text, 0):
			return fmt.Errorf("%w: the %s is too long or no text", ErrInvalid, text.what)
		}
	}
	return nil
}
