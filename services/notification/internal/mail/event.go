package mail

import "time"

// Event is what has become of a mail. Both of them are published, and hold no personal data.
type Event interface {
	// Stamped says of which order, as which version of its log, and when.
	Stamped() Stamp
}

// Stamp is the part that all events share.
type Stamp struct {
	OrderID string
	// Version is the log's version after this event.
	Version   int64
	At        time.Time
	Kind      Kind
	MessageID string
}

// Stamped returns the stamp itself, so that whatever embeds one is an Event.
func (s Stamp) Stamped() Stamp { return s }

// MailSent says that the mail server has taken a mail.
type MailSent struct{ Stamp }

// MailFailed says that a mail will not be sent.
type MailFailed struct {
	Stamp
	Reason Outcome // Refused or Expired
}

// happened returns the events that lead from one state to the next.
func happened(before, after *Log) []Event {
	var events []Event
	for i, kind := range InOrder() {
		m := after.Mails[i]
		if m.Outcome == before.Mails[i].Outcome {
			continue
		}
		stamp := Stamp{
			OrderID: after.OrderID, Version: before.Version + int64(len(events)) + 1, At: m.EndedAt, Kind: kind,
			MessageID: after.MessageID(kind),
		}
		if m.Outcome == Sent {
			events = append(events, MailSent{stamp})
		} else {
			events = append(events, MailFailed{stamp, m.Outcome})
		}
	}
	return events
}
