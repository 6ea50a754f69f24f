package kafka

import (
	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// Publish maps a domain event to the contract. False: it stays private.
func Publish(e mail.Event) (event.Event, bool) {
	stamp := e.Stamped()
	var data schemas.NotificationEvent
	switch e := e.(type) {
	case mail.MailSent:
		data = &schemas.NotificationSent{
			OrderID: stamp.OrderID, Kind: schemas.MailKind(stamp.Kind), MessageID: stamp.MessageID, SentAt: stamp.At,
		}
	case mail.MailFailed:
		data = &schemas.NotificationFailed{
			OrderID: stamp.OrderID, Kind: schemas.MailKind(stamp.Kind), MessageID: stamp.MessageID,
			Reason: schemas.NotificationFailure(e.Reason), FailedAt: stamp.At,
		}
	default:
		return event.Event{}, false
	}
	return event.Event{Key: stamp.OrderID, Sequence: stamp.Version, Time: stamp.At, Data: data}, true
}
