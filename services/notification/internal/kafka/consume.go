// Package kafka translates between the contracts and the domain.
package kafka

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// Input maps a consumed event to what it asks of the domain. Mails are sent from domain.
func Input(domain string) func(e event.Event, arrived time.Time) (mail.Message, bool, error) {
	return func(e event.Event, arrived time.Time) (mail.Message, bool, error) {
		switch data := e.Data.(type) {
		case *schemas.OrderPlaced:
			return mail.OrderPlaced{
				OrderID: e.Key, Address: data.Email, Domain: domain, Lines: linesOf(data), Total: data.Total,
				Currency: data.Currency, At: arrived,
			}, true, kafka.CheckKey(e, data.OrderID)
		case *schemas.OrderConfirmed:
			return mail.OrderConfirmed{
				OrderID: e.Key, Total: data.Total, Currency: data.Currency, At: arrived,
			}, true, kafka.CheckKey(e, data.OrderID)
		case *schemas.OrderCancelled:
			m := mail.OrderCancelled{
				OrderID: e.Key, Reason: mail.Reason(data.Reason), Total: data.Total, Currency: data.Currency,
				At: arrived,
			}
			if data.Detail != nil {
				m.Detail = *data.Detail
			}
			return m, true, kafka.CheckKey(e, data.OrderID)
		case *schemas.PaymentRefunded:
			return mail.PaymentRefunded{
				OrderID: e.Key, Amount: data.Amount, Currency: data.Currency, At: arrived,
			}, true, kafka.CheckKey(e, data.OrderID)
		}
		return nil, false, nil
	}
}

func linesOf(data *schemas.OrderPlaced) []mail.Line {
	lines := make([]mail.Line, len(data.Lines))
	for i, l := range data.Lines {
		lines[i] = mail.Line{SKU: l.SKU, Quantity: l.Quantity, UnitPrice: l.UnitPrice}
	}
	return lines
}
