package order_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

func TestEveryEventHasItsActor(t *testing.T) {
	placed := order.Placed{CustomerID: "ada"}
	tests := map[string]struct {
		stream []order.Event
		want   []string
	}{
		"confirmed by the answer that came last": {
			[]order.Event{placed, order.StockReserved{}, order.PaymentAuthorized{}, order.Confirmed{}, order.StockCommitted{},
				order.PaymentCaptured{}},
			[]string{"customer ada", "service inventory", "service payment", "service payment", "service inventory",
				"service payment"},
		},
		"confirmed the other way round": {
			[]order.Event{placed, order.PaymentAuthorized{}, order.StockReserved{}, order.Confirmed{}},
			[]string{"customer ada", "service payment", "service inventory", "service inventory"},
		},
		"out of stock": {
			[]order.Event{placed, order.StockReservationFailed{}, order.Cancelled{Reason: order.ReasonOutOfStock},
				order.StockReleased{}, order.PaymentVoided{}},
			[]string{"customer ada", "service inventory", "service inventory", "service inventory", "service payment"},
		},
		"declined": {
			[]order.Event{placed, order.PaymentDeclined{}, order.Cancelled{Reason: order.ReasonPaymentDeclined}},
			[]string{"customer ada", "service payment", "service payment"},
		},
		"refused to capture, then refunded": {
			[]order.Event{placed, order.PaymentCaptureFailed{}, order.Cancelled{Reason: order.ReasonPaymentFailed},
				order.PaymentRefunded{}},
			[]string{"customer ada", "service payment", "service payment", "service payment"},
		},
		"cancelled by the customer after an answer": {
			[]order.Event{placed, order.StockReserved{}, order.Cancelled{Reason: order.ReasonCustomerRequest}},
			[]string{"customer ada", "service inventory", "customer ada"},
		},
		"timed out": {
			[]order.Event{placed, order.StockReserved{}, order.Cancelled{Reason: order.ReasonTimedOut}, order.StockReleased{}},
			[]string{"customer ada", "service inventory", "clock ", "service inventory"},
		},
		"no events": {nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range order.Actors(tt.stream) {
				got = append(got, string(a.Kind)+" "+a.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("actors (-want +got):\n%s", diff)
			}
		})
	}
}
