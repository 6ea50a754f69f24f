package kafka

import (
	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Publish maps a domain event to the contract. False: it stays private.
func Publish(e payment.Event) (event.Event, bool) {
	stamp := e.Stamped()
	published := event.Event{Key: stamp.OrderID, Sequence: stamp.Version, Time: stamp.At}
	switch e := e.(type) {
	case payment.Authorized:
		published.Data = &schemas.PaymentAuthorized{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, AuthorizedAt: stamp.At,
		}
	case payment.Declined:
		published.Data = &schemas.PaymentDeclined{
			OrderID: stamp.OrderID, Reason: schemas.DeclineReason(e.Reason), DeclinedAt: stamp.At,
		}
	case payment.Captured:
		published.Data = &schemas.PaymentCaptured{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, CapturedAt: stamp.At,
		}
	case payment.CaptureFailed:
		published.Data = &schemas.PaymentCaptureFailed{
			OrderID: stamp.OrderID, Reason: schemas.CaptureFailure(e.Reason), FailedAt: stamp.At,
		}
	case payment.Voided:
		published.Data = &schemas.PaymentVoided{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, VoidedAt: stamp.At,
		}
	case payment.Refunded:
		published.Data = &schemas.PaymentRefunded{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, RefundedAt: stamp.At,
		}
	default:
		return event.Event{}, false
	}
	return published, true
}
