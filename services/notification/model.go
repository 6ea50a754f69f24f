package notification

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/notification/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// Model is the service's decisions alone, over a state in memory. Tests that search the interleavings of a whole saga
// are made of it.
type Model struct {
	work.Model[mail.Message, *mail.Room, mail.Event]
}

// NewModel returns a Model that knows no order.
func NewModel() *Model {
	return &Model{work.Model[mail.Message, *mail.Room, mail.Event]{
		Name: Name, State: &mail.Room{}, Input: kafka.Input("quadrille.example"), Publish: kafka.Publish,
	}}
}

// Due returns the kind of the mail whose turn it is, or false if there is none.
func (m *Model) Due(orderID string) (kind string, due bool) {
	l := m.State.Logs[orderID]
	if l == nil {
		return "", false
	}
	call, due := l.Next()
	return string(call.Kind), due
}

// Sent decides that the mail server has taken a mail.
func (m *Model) Sent(orderID, kind string, at time.Time) ([]event.Event, error) {
	return m.Decide(mail.Answer{OrderID: orderID, Kind: mail.Kind(kind), Outcome: mail.Sent, At: at},
		event.Cause{ID: "call/" + orderID + "/" + kind})
}
