package kafka_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	pkgkafka "github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/notification/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestInput(t *testing.T) {
	detail := "Ordered by mistake"
	tests := map[string]struct {
		data event.Data
		want mail.Message
	}{
		"placed": {
			&schemas.OrderPlaced{
				OrderID: "o-1", Email: "ada@example.com", Currency: "EUR", Total: 4_200,
				Lines: []schemas.OrderLine{{SKU: "tea-001", Quantity: 2, UnitPrice: 2_100}},
			},
			mail.OrderPlaced{
				OrderID: "o-1", Address: "ada@example.com", Domain: "shop.example", Total: 4_200, Currency: "EUR", At: at,
				Lines: []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 2_100}},
			},
		},
		"confirmed": {
			&schemas.OrderConfirmed{OrderID: "o-1", Currency: "EUR", Total: 4_200},
			mail.OrderConfirmed{OrderID: "o-1", Total: 4_200, Currency: "EUR", At: at},
		},
		"cancelled": {
			&schemas.OrderCancelled{
				OrderID: "o-1", Reason: schemas.CancellationReasonTimedOut, Currency: "EUR", Total: 4_200,
			},
			mail.OrderCancelled{OrderID: "o-1", Reason: mail.ReasonTimedOut, Total: 4_200, Currency: "EUR", At: at},
		},
		"cancelled by the customer": {
			&schemas.OrderCancelled{
				OrderID: "o-1", Reason: schemas.CancellationReasonCustomerRequest, Detail: &detail, Currency: "EUR",
				Total: 4_200,
			},
			mail.OrderCancelled{
				OrderID: "o-1", Reason: mail.ReasonCustomerRequest, Detail: detail, Total: 4_200, Currency: "EUR", At: at,
			},
		},
		"refunded": {
			&schemas.PaymentRefunded{OrderID: "o-1", Currency: "EUR", Amount: 4_200},
			mail.PaymentRefunded{OrderID: "o-1", Amount: 4_200, Currency: "EUR", At: at},
		},
		"captured":  {&schemas.PaymentCaptured{OrderID: "o-1"}, nil},
		"voided":    {&schemas.PaymentVoided{OrderID: "o-1"}, nil},
		"tombstone": {nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, wanted, err := kafka.Input("shop.example")(event.Event{Key: "o-1", Data: test.data}, at)
			if err != nil || wanted != (test.want != nil) {
				t.Errorf("wanted %t, error %v", wanted, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if test.want == nil {
				return
			}
			_, _, err = kafka.Input("shop.example")(event.Event{Key: "o-2", Data: test.data}, at)
			if !errors.Is(err, pkgkafka.ErrKey) {
				t.Errorf("under another key: %v", err)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	stamp := mail.Stamp{OrderID: "o-1", Version: 7, At: at, Kind: mail.Refund, MessageID: "o-1.refund@shop.example"}
	tests := map[string]struct {
		event mail.Event
		want  event.Data
	}{
		"sent": {
			mail.MailSent{Stamp: stamp},
			&schemas.NotificationSent{
				OrderID: "o-1", Kind: schemas.MailKindRefund, MessageID: "o-1.refund@shop.example", SentAt: at,
			},
		},
		"failed": {
			mail.MailFailed{Stamp: stamp, Reason: mail.Expired},
			&schemas.NotificationFailed{
				OrderID: "o-1", Kind: schemas.MailKindRefund, MessageID: "o-1.refund@shop.example",
				Reason: schemas.NotificationFailureExpired, FailedAt: at,
			},
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

// TestEnumsAgree holds the words of the domain against the symbols of the contract.
func TestEnumsAgree(t *testing.T) {
	for domain, contract := range map[mail.Kind]schemas.MailKind{
		mail.Confirmation: schemas.MailKindConfirmation, mail.Cancellation: schemas.MailKindCancellation,
		mail.Refund: schemas.MailKindRefund,
	} {
		if string(domain) != string(contract) {
			t.Errorf("%q is %q in the contract", domain, contract)
		}
	}
	for domain, contract := range map[mail.Outcome]schemas.NotificationFailure{
		mail.Refused: schemas.NotificationFailureRefused, mail.Expired: schemas.NotificationFailureExpired,
	} {
		if string(domain) != string(contract) {
			t.Errorf("%q is %q in the contract", domain, contract)
		}
	}
	for domain, contract := range map[mail.Reason]schemas.CancellationReason{
		mail.ReasonUnknown:         schemas.CancellationReasonUnknown,
		mail.ReasonOutOfStock:      schemas.CancellationReasonOutOfStock,
		mail.ReasonPaymentDeclined: schemas.CancellationReasonPaymentDeclined,
		mail.ReasonPaymentFailed:   schemas.CancellationReasonPaymentFailed,
		mail.ReasonTimedOut:        schemas.CancellationReasonTimedOut,
		mail.ReasonCustomerRequest: schemas.CancellationReasonCustomerRequest,
	} {
		if string(domain) != string(contract) {
			t.Errorf("%q is %q in the contract", domain, contract)
		}
	}
}
