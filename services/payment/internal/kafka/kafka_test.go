package kafka_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	pkgkafka "github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/payment/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestInput(t *testing.T) {
	tests := map[string]struct {
		data event.Data
		want payment.Message
	}{
		"placed": {
			&schemas.OrderPlaced{OrderID: "o-1", PaymentMethod: "tok_visa", Currency: "EUR", Total: 4_200},
			payment.OrderPlaced{OrderID: "o-1", Amount: 4_200, Currency: "EUR", Method: "tok_visa", At: at},
		},
		"reserved": {&schemas.StockReserved{OrderID: "o-1"}, payment.StockReserved{OrderID: "o-1", At: at}},
		"confirmed": {
			&schemas.OrderConfirmed{OrderID: "o-1", Currency: "EUR", Total: 4_200},
			payment.OrderConfirmed{OrderID: "o-1", Amount: 4_200, Currency: "EUR", At: at},
		},
		"cancelled": {
			&schemas.OrderCancelled{OrderID: "o-1", Currency: "EUR", Total: 4_200},
			payment.OrderCancelled{OrderID: "o-1", Amount: 4_200, Currency: "EUR", At: at},
		},
		"failed reservation": {&schemas.StockReservationFailed{OrderID: "o-1"}, nil},
		"released":           {&schemas.StockReleased{OrderID: "o-1"}, nil},
		"committed":          {&schemas.StockCommitted{OrderID: "o-1"}, nil},
		"tombstone":          {nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, wanted, err := kafka.Input(event.Event{Key: "o-1", Data: test.data}, at)
			if err != nil || wanted != (test.want != nil) {
				t.Errorf("wanted %t, error %v", wanted, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if test.want == nil {
				return
			}
			if _, _, err := kafka.Input(event.Event{Key: "o-2", Data: test.data}, at); !errors.Is(err, pkgkafka.ErrKey) {
				t.Errorf("under another key: %v", err)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	stamp := payment.Stamp{OrderID: "o-1", Version: 7, At: at}
	tests := map[string]struct {
		event payment.Event
		want  event.Data
	}{
		"authorized": {
			payment.Authorized{Stamp: stamp, Amount: 4_200, Currency: "EUR"},
			&schemas.PaymentAuthorized{OrderID: "o-1", Amount: 4_200, Currency: "EUR", AuthorizedAt: at},
		},
		"declined": {
			payment.Declined{Stamp: stamp, Reason: payment.DeclineInsufficientFunds},
			&schemas.PaymentDeclined{
				OrderID: "o-1", Reason: schemas.DeclineReasonInsufficientFunds, DeclinedAt: at,
			},
		},
		"captured": {
			payment.Captured{Stamp: stamp, Amount: 4_200, Currency: "EUR"},
			&schemas.PaymentCaptured{OrderID: "o-1", Amount: 4_200, Currency: "EUR", CapturedAt: at},
		},
		"capture failed": {
			payment.CaptureFailed{Stamp: stamp, Reason: payment.CaptureFailureExpired},
			&schemas.PaymentCaptureFailed{
				OrderID: "o-1", Reason: schemas.CaptureFailureAuthorizationExpired, FailedAt: at,
			},
		},
		"voided": {
			payment.Voided{Stamp: stamp, Amount: 4_200, Currency: "EUR"},
			&schemas.PaymentVoided{OrderID: "o-1", Amount: 4_200, Currency: "EUR", VoidedAt: at},
		},
		"refunded": {
			payment.Refunded{Stamp: stamp, Amount: 4_200, Currency: "EUR"},
			&schemas.PaymentRefunded{OrderID: "o-1", Amount: 4_200, Currency: "EUR", RefundedAt: at},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, public := kafka.Publish(test.event)
			if !public {
				t.Fatal("it stays private")
			}
			want := event.Event{Key: "o-1", Sequence: 7, Time: at, Data: test.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, public := kafka.Publish(stamp); public {
		t.Error("an event of no contract was published")
	}
}

// TestEnumsAgree holds the reasons of the domain against the symbols of the contract.
func TestEnumsAgree(t *testing.T) {
	for domain, contract := range map[payment.DeclineReason]schemas.DeclineReason{
		payment.DeclineUnknown:           schemas.DeclineReasonUnknown,
		payment.DeclineCardDeclined:      schemas.DeclineReasonCardDeclined,
		payment.DeclineInsufficientFunds: schemas.DeclineReasonInsufficientFunds,
	} {
		if string(domain) != string(contract) {
			t.Errorf("%q is %q in the contract", domain, contract)
		}
	}
	for domain, contract := range map[payment.CaptureFailure]schemas.CaptureFailure{
		payment.CaptureFailureUnknown:  schemas.CaptureFailureUnknown,
		payment.CaptureFailureDeclined: schemas.CaptureFailureDeclined,
		payment.CaptureFailureExpired:  schemas.CaptureFailureAuthorizationExpired,
	} {
		if string(domain) != string(contract) {
			t.Errorf("%q is %q in the contract", domain, contract)
		}
	}
}
