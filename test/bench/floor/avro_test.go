package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/schemas"
)

// golden returns the newest version's value and its encoding without the five bytes before it.
func golden(t *testing.T, name string, into any) []byte {
	t.Helper()
	versions := schemas.Golden()[name]
	if len(versions) == 0 {
		t.Fatalf("there are no golden bytes of %s", name)
	}
	v := versions[len(versions)-1]
	if err := json.Unmarshal(v.Value, into); err != nil {
		t.Fatal(err)
	}
	return v.Body
}

func TestValuesAreThoseOfTheContracts(t *testing.T) {
	var e struct {
		orderEvent
		PlacedAt     time.Time `json:"placed_at"`
		ConfirmedAt  time.Time `json:"confirmed_at"`
		ReservedAt   time.Time `json:"reserved_at"`
		CommittedAt  time.Time `json:"committed_at"`
		AuthorizedAt time.Time `json:"authorized_at"`
		CapturedAt   time.Time `json:"captured_at"`
		SentAt       time.Time `json:"sent_at"`
		SalesChannel string    `json:"sales_channel"`
		MessageID    string    `json:"message_id"`
	}
	tests := map[string]func() []byte{
		"quadrille.order.OrderPlaced": func() []byte {
			e.At = e.PlacedAt
			value := orderPlaced(e.OrderID, e.orderEvent)
			return encoder(value[:len(value)-1]).long(1).text(e.SalesChannel) // which the floor leaves out
		},
		"quadrille.order.OrderConfirmed": func() []byte {
			e.At = e.ConfirmedAt
			return orderConfirmed(e.OrderID, e.orderEvent)
		},
		"quadrille.inventory.StockReserved":  func() []byte { return stockChanged(e.OrderID, e.Lines, e.ReservedAt) },
		"quadrille.inventory.StockCommitted": func() []byte { return stockChanged(e.OrderID, e.Lines, e.CommittedAt) },
		"quadrille.payment.PaymentAuthorized": func() []byte {
			return paid(e.OrderID, e.Amount, e.Currency, e.AuthorizedAt)
		},
		"quadrille.payment.PaymentCaptured": func() []byte {
			return paid(e.OrderID, e.Amount, e.Currency, e.CapturedAt)
		},
		"quadrille.notification.NotificationSent": func() []byte {
			value := notificationSent(e.OrderID, e.SentAt)
			return bytes.Replace(value, encoder{}.text(messageID(e.OrderID)), encoder{}.text(e.MessageID), 1)
		},
	}
	for name, value := range tests {
		t.Run(name, func(t *testing.T) {
			e.orderEvent = orderEvent{}
			want := golden(t, name, &e)
			if diff := cmp.Diff(want, value()[5:]); diff != "" {
				t.Errorf("encoded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnOrderPlacedIsRead(t *testing.T) {
	e := orderEvent{
		CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa", Currency: "EUR", Total: 700,
		Lines: []line{{"tea", 2, 300}, {"cup", 1, 100}}, At: time.Now(),
	}
	m := message{value: orderPlaced("1", e)}
	want := placed{"ada@example.com", "tok_visa", "EUR", 700, e.Lines}
	if diff := cmp.Diff(want, m.placed(), cmp.AllowUnexported(placed{})); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}
