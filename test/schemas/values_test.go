package schemas_test

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
)

// values returns one value of each event, from which -update makes the bytes of a new version. A field that a version
// adds needs a value here that is not its default.
func values() []event.Data {
	const (
		confirmed = "01932c0a-7d3e-7b61-9a44-5f0c2f7d1e10"
		cancelled = "01932c0a-8f11-7c02-b3d5-0a9e6c41d722"
		refunded  = "01932c0a-9a70-7d4e-8e02-64b1f3c2a955"
	)
	at := func(seconds, micros int) time.Time {
		return time.Date(2026, 3, 2, 9, 41, seconds, micros*1000, time.UTC)
	}
	return []event.Data{
		&schemas.OrderPlaced{
			OrderID: confirmed, CustomerID: "customer-4711", Email: "zoë@example.org", PaymentMethod: "tok_visa",
			Currency: "EUR", Total: 7_247,
			Lines: []schemas.OrderLine{
				{SKU: "teapot-cast-iron", Quantity: 1, UnitPrice: 4_950}, {SKU: "tea-sencha-100g", Quantity: 3, UnitPrice: 749},
				{SKU: "sample-card", Quantity: 50, UnitPrice: 1},
			},
			PlacedAt: at(7, 123_456), SalesChannel: new("tea-shop-app"),
		},
		&schemas.StockReserved{
			OrderID: confirmed, ReservedAt: at(7, 140_002),
			Lines: []schemas.StockLine{
				{SKU: "sample-card", Quantity: 50}, {SKU: "tea-sencha-100g", Quantity: 3}, {SKU: "teapot-cast-iron", Quantity: 1},
			},
		},
		&schemas.PaymentAuthorized{OrderID: confirmed, Amount: 7_247, Currency: "EUR", AuthorizedAt: at(7, 310_877)},
		&schemas.OrderConfirmed{OrderID: confirmed, Currency: "EUR", Total: 7_247, ConfirmedAt: at(7, 322_009)},
		&schemas.StockCommitted{
			OrderID: confirmed, CommittedAt: at(7, 335_410),
			Lines: []schemas.StockLine{
				{SKU: "sample-card", Quantity: 50}, {SKU: "tea-sencha-100g", Quantity: 3}, {SKU: "teapot-cast-iron", Quantity: 1},
			},
		},
		&schemas.PaymentCaptured{OrderID: confirmed, Amount: 7_247, Currency: "EUR", CapturedAt: at(7, 501_223)},

		&schemas.StockReservationFailed{
			OrderID: cancelled, Reason: schemas.ReservationFailureUnknownProduct, FailedAt: at(12, 4),
			Shortages: []schemas.Shortage{
				{SKU: "tea-sencha-100g", Requested: 400, Available: 17}, {SKU: "tea-unheard-of", Requested: 2},
			},
		},
		&schemas.PaymentDeclined{
			OrderID: cancelled, Reason: schemas.DeclineReasonInsufficientFunds, DeclinedAt: at(12, 90_500),
		},
		&schemas.PaymentCaptureFailed{
			OrderID: cancelled, Reason: schemas.CaptureFailureAuthorizationExpired, FailedAt: at(13, 0),
		},
		&schemas.OrderCancelled{
			OrderID: cancelled, Reason: schemas.CancellationReasonCustomerRequest,
			Detail: new("J’ai changé d’avis 🫖"), Currency: "EUR", Total: 149_900, CancelledAt: at(14, 999_999),
		},
		&schemas.StockReleased{
			OrderID: cancelled, Lines: []schemas.StockLine{{SKU: "tea-sencha-100g", Quantity: 17}}, ReleasedAt: at(15, 1),
		},
		&schemas.PaymentVoided{
			OrderID: cancelled, Amount: 149_900, Currency: "EUR", SettledByHand: true, VoidedAt: at(15, 250_000),
		},
		&schemas.PaymentRefunded{
			OrderID: refunded, Amount: 12_800, Currency: "JPY", SettledByHand: true, RefundedAt: at(16, 42),
		},
		&schemas.NotificationSent{
			OrderID: confirmed, Kind: schemas.MailKindConfirmation, MessageID: "<" + confirmed + ".confirmation@example.org>",
			SentAt: at(8, 17_300),
		},
		&schemas.NotificationFailed{
			OrderID: cancelled, Kind: schemas.MailKindCancellation, MessageID: "<" + cancelled + ".cancellation@example.org>",
			Reason: schemas.NotificationFailureRefused, FailedAt: at(17, 600),
		},
		&schemas.ProductUpdated{
			SKU: "tea-sencha-100g", Name: "Sencha 煎茶, 100 g", Price: 749, Currency: "EUR", Version: 12, UpdatedAt: at(0, 0),
		},
	}
}
