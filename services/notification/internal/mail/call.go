package mail

import "time"

// Call is a mail to be sent: all that its text needs. Each time it is made it is the same, so that a mail that is
// repeated is the same mail.
type Call struct {
	OrderID   string
	Kind      Kind
	MessageID string
	To        string // personal data: never log it
	// Date is when the reason for the mail was learnt, Due when its turn came.
	Date, Due time.Time

	Lines    []Line
	Total    int64 // minor units
	Currency string
	Reason   Reason
	Detail   string // personal data: never log it
	Refunded int64  // minor units
}

// Next returns the mail to send now, or false if there is none. Only one may be outstanding: ask while no lease on the
// order is live.
func (l *Log) Next() (Call, bool) {
	kind, due := l.next()
	if !due {
		return Call{}, false
	}
	m := l.Mails[kind.Index()]
	return Call{
		OrderID: l.OrderID, Kind: kind, MessageID: l.MessageID(kind), To: l.Order.Address, Date: m.CreatedAt,
		Due: m.DueAt, Lines: l.Order.Lines, Total: l.Total, Currency: l.Currency, Reason: l.Reason, Detail: l.Detail,
		Refunded: l.Refunded,
	}, true
}

// next is the first mail that there is a reason for and that has not ended. The refund, which is told on another topic
// than the cancellation, waits until that is known.
func (l *Log) next() (Kind, bool) {
	if l.Order == nil {
		return "", false
	}
	for i, kind := range InOrder() {
		m := l.Mails[i]
		if m.CreatedAt.IsZero() || m.Outcome != "" || kind == Refund && !l.Cancelled {
			continue
		}
		return kind, true
	}
	return "", false
}
