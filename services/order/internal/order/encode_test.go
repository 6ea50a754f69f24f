package order_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// The stored format must be read for ever: an entry here is only ever added.
func TestStoredFormat(t *testing.T) {
	h := head(7, 3)
	const top = `{"order_id":"o1","version":7,"at":"2026-03-01T12:03:00Z"`
	tests := []struct {
		event    order.Event
		stored   string
		contents string
	}{
		{order.Placed{
			Head: h, CustomerID: "c1", Email: "a@b.c", PaymentMethod: "tok", Currency: "EUR", Total: 6, Deadline: at(5),
			Lines: []order.Line{{SKU: "tea", Quantity: 3, UnitPrice: 2}},
		}, "OrderPlaced", top + `,"customer_id":"c1","email":"a@b.c","payment_method":"tok","currency":"EUR","total":6,` +
			`"lines":[{"sku":"tea","quantity":3,"unit_price":2}],"deadline":"2026-03-01T12:05:00Z"}`},
		{order.Placed{Head: h, CustomerID: "c1", SalesChannel: "web"}, "OrderPlaced",
			top + `,"customer_id":"c1","email":"","payment_method":"","currency":"","total":0,"lines":null,` +
				`"deadline":"0001-01-01T00:00:00Z","sales_channel":"web"}`},
		{order.Confirmed{Head: h, Currency: "EUR", Total: 6}, "OrderConfirmed", top + `,"currency":"EUR","total":6}`},
		{order.Cancelled{Head: h, Reason: order.ReasonTimedOut, Currency: "EUR", Total: 6},
			"OrderCancelled", top + `,"reason":"timed_out","currency":"EUR","total":6}`},
		{order.Cancelled{Head: h, Reason: order.ReasonCustomerRequest, Detail: "<no>", Currency: "EUR", Total: 6},
			"OrderCancelled", top + `,"reason":"customer_request","detail":"\u003cno\u003e","currency":"EUR","total":6}`},
		{order.StockReserved{Head: h}, "StockReserved", top + `}`},
		{order.StockReservationFailed{Head: h, Reason: "out_of_stock", Shortages: shortages}, "StockReservationFailed",
			top + `,"reason":"out_of_stock","shortages":[{"sku":"tea","requested":3,"available":1}]}`},
		{order.StockCommitted{Head: h}, "StockCommitted", top + `}`},
		{order.StockReleased{Head: h}, "StockReleased", top + `}`},
		{order.StockReleased{Head: h, Lines: []order.StockLine{{SKU: "tea", Quantity: 3}}}, "StockReleased",
			top + `,"lines":[{"sku":"tea","quantity":3}]}`},
		{order.PaymentAuthorized{Head: h, Amount: 6, Currency: "EUR"}, "PaymentAuthorized",
			top + `,"amount":6,"currency":"EUR"}`},
		{order.PaymentDeclined{Head: h, Reason: "card_declined"}, "PaymentDeclined", top + `,"reason":"card_declined"}`},
		{order.PaymentCaptured{Head: h, Amount: 6, Currency: "EUR"}, "PaymentCaptured",
			top + `,"amount":6,"currency":"EUR"}`},
		{order.PaymentCaptureFailed{Head: h, Reason: "declined"}, "PaymentCaptureFailed", top + `,"reason":"declined"}`},
		{order.PaymentVoided{Head: h, Amount: 6, Currency: "EUR"}, "PaymentVoided",
			top + `,"amount":6,"currency":"EUR"}`},
		{order.PaymentVoided{Head: h, Currency: "EUR", SettledByHand: true}, "PaymentVoided",
			top + `,"amount":0,"currency":"EUR","settled_by_hand":true}`},
		{order.PaymentRefunded{Head: h, Amount: 6, Currency: "EUR"}, "PaymentRefunded",
			top + `,"amount":6,"currency":"EUR"}`},
		{order.PaymentRefunded{Head: h, Amount: 6, Currency: "EUR", SettledByHand: true}, "PaymentRefunded",
			top + `,"amount":6,"currency":"EUR","settled_by_hand":true}`},
	}
	for _, tt := range tests {
		t.Run(tt.stored, func(t *testing.T) {
			data, err := order.Encode(tt.event)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.contents, string(data)); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
			if got := tt.event.Type(); got != tt.stored {
				t.Errorf("type = %s", got)
			}
			e, err := order.Decode(tt.stored, []byte(tt.contents))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.event, e); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	if _, err := order.Decode("OrderPainted", []byte(`{}`)); !errors.Is(err, order.ErrUnknownEvent) {
		t.Errorf("error = %v", err)
	}
	if e, err := order.Decode("OrderPlaced", []byte(`{"total":"6"}`)); err == nil || e != nil {
		t.Errorf("decoded %v, error = %v", e, err)
	}
}

func TestDecodeIgnoresFieldsOfALaterRelease(t *testing.T) {
	e, err := order.Decode("StockReserved", []byte(`{"order_id":"o1","version":2,"warehouse":"north"}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(order.Event(order.StockReserved{Head: order.Head{OrderID: "o1", Version: 2}}), e); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("OrderPlaced", []byte(`{"order_id":"o1","version":1,"at":"2026-03-01T12:03:00Z","lines":[{"sku":"tea"}]}`))
	f.Add("PaymentRefunded", []byte(`{"settled_by_hand":true}`))
	f.Fuzz(func(t *testing.T, eventType string, data []byte) {
		e, err := order.Decode(eventType, data)
		if err != nil {
			return
		}
		(&order.Order{}).Apply(e)
		if e.Type() != eventType {
			t.Fatalf("%s decoded as %s", eventType, e.Type())
		}
		encoded, err := order.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		again, err := order.Decode(eventType, encoded)
		if err != nil {
			t.Fatal(err)
		}
		if reencoded, _ := order.Encode(again); string(reencoded) != string(encoded) {
			t.Fatalf("%s, then %s", encoded, reencoded)
		}
	})
}
