package kafka

import (
	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Publish maps a domain event to the contract. False: it stays private.
func Publish(e payment.Event) (event.Event, bool) {
	stamp := e.Stamped()
	var data schemas.PaymentEvent
	switch e := e.(type) {
	case payment.Authorized:
		data = &schemas.PaymentAuthorized{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, AuthorizedAt: stamp.At,
		}
	case payment.Declined:
		data = &schemas.PaymentDeclined{
			OrderID: stamp.OrderID, Reason: schemas.DeclineReason(e.Reason), DeclinedAt: stamp.At,
		}
	case payment.Captured:
		data = &schemas.PaymentCaptured{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, CapturedAt: stamp.At,
		}
	case payment.CaptureFailed:
		data = &schemas.PaymentCaptureFailed{
			OrderID: stamp.OrderID, Reason: schemas.CaptureFailure(e.Reason), FailedAt: stamp.At,
		}
	case payment.Voided:
		data = &schemas.PaymentVoided{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, VoidedAt: stamp.At,
			SettledByHand: e.Settled(),
		}
	case payment.Refunded:
		data = &schemas.PaymentRefunded{
			OrderID: stamp.OrderID, Amount: e.Amount, Currency: e.Currency, RefundedAt: stamp.At,
			SettledByHand: e.Settled(),
		}
	default:
		return event.Event{}, false
	}
	return event.Event{Key: stamp.OrderID, Sequence: stamp.Version, Time: stamp.At, Data: data}, true
}
