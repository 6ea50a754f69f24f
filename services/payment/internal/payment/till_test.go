package payment_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// TestTillKeepsPaymentsApart lets the sagas of several orders happen in one till, in any order, until all are at rest.
func TestTillKeepsPaymentsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		till := &payment.Till{}
		sagas := make([]saga, rapid.IntRange(2, 4).Draw(t, "orders"))
		for i := range sagas {
			s := &sagas[i]
			s.orderID = fmt.Sprintf("o-%d", i)
			s.expiries = rapid.IntRange(0, 3).Draw(t, "expiries")
			s.gateway.method = rapid.SampledFrom([]string{
				visa, declined, captureDeclined, expired, cancelDeclined, refundDeclined, silent, unknownMethod,
			}).Draw(t, "method")
			s.gateway.current = rapid.Bool().Draw(t, "current")
			s.waiting = [4]bool{
				true, rapid.Bool().Draw(t, "reserved"), rapid.Bool().Draw(t, "confirmed"),
				rapid.Bool().Draw(t, "cancelled"),
			}
		}
		for {
			var restless []int
			for i := range sagas {
				if len(sagas[i].actions(known(till, sagas[i].orderID))) > 0 {
					restless = append(restless, i)
				}
			}
			if len(restless) == 0 {
				break
			}
			s := &sagas[rapid.SampledFrom(restless).Draw(t, "order")]
			a := rapid.SampledFrom(s.actions(known(till, s.orderID))).Draw(t, "action")
			others := copyOf(till, s.orderID)
			s.apply(t, till, a)
			if diff := cmp.Diff(others, copyOf(till, s.orderID)); diff != "" {
				t.Fatalf("%v of %s changed other payments (-before +after):\n%s", a, s.orderID, diff)
			}
		}
		for i := range sagas {
			sagas[i].checkRest(t, known(till, sagas[i].orderID))
		}
	})
}

// TestDecideIsTotal throws arbitrary messages at arbitrary payments. Whatever comes, decide returns; after an error
// all is as before.
func TestDecideIsTotal(t *testing.T) {
	// What fits together is drawn more often, so that many messages are taken.
	id := rapid.SampledFrom([]string{"", "o-1", "o-1", "o-1", "o-2"})
	amount := rapid.SampledFrom([]int64{2, 2, 2, 2, 0, 0, 0, 1, -1, math.MinInt64, math.MaxInt64})
	currency := rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "EUR", "USD", "", "eur"})
	when := rapid.Custom(func(t *rapid.T) time.Time {
		return rapid.SampledFrom([]time.Time{{}, at(1), at(2), at(3)}).Draw(t, "when")
	})
	operation := rapid.SampledFrom([]payment.Operation{"", "gamble", payment.Authorize, payment.Capture, payment.Cancel,
		payment.Refund})
	refusal := rapid.SampledFrom([]payment.Refusal{"", "", "whatever", payment.RefusedCardDeclined,
		payment.RefusedInvalidPaymentMethod, payment.RefusedCaptureDeclined, payment.RefusedRefundDeclined,
		payment.RefusedAuthorizationExpired, payment.RefusedIntentCanceled, payment.RefusedAlreadyCaptured})
	message := rapid.Custom(func(t *rapid.T) payment.Message {
		order, total, at := id.Draw(t, "order"), amount.Draw(t, "total"), when.Draw(t, "at")
		switch rapid.IntRange(0, 5).Draw(t, "message") {
		case 0:
			method := rapid.SampledFrom([]string{visa, visa, visa, declined, ""}).Draw(t, "method")
			return payment.OrderPlaced{
				OrderID: order, Amount: total, Currency: currency.Draw(t, "currency"), Method: method, At: at,
			}
		case 1:
			return payment.StockReserved{OrderID: order, At: at}
		case 2:
			return payment.OrderConfirmed{OrderID: order, Amount: total, Currency: currency.Draw(t, "currency"), At: at}
		case 3:
			return payment.OrderCancelled{OrderID: order, Amount: total, Currency: currency.Draw(t, "currency"), At: at}
		default:
			return payment.Answer{
				OrderID: order, Operation: operation.Draw(t, "operation"), Refusal: refusal.Draw(t, "refusal"), At: at,
				Intent: payment.Intent{
					ID:         rapid.SampledFrom([]string{"pi_1", "pi_1", "pi_1", "pi_2", ""}).Draw(t, "intent"),
					Authorized: amount.Draw(t, "authorized"),
					Captured:   amount.Draw(t, "captured"),
					Refunded:   amount.Draw(t, "refunded"),
				},
			}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		till := &payment.Till{}
		books := map[string]int64{}
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			m := message.Draw(t, "message")
			order := m.Needs().Payments[0]
			if p := till.Payments[order]; p != nil && rapid.Bool().Draw(t, "claim") {
				p.Claims++
			}
			before, all := known(till, order), copyOf(till, "")
			events, err := m.Decide(till)
			if err != nil {
				if len(events) > 0 || !reflect.DeepEqual(all, copyOf(till, "")) {
					t.Fatalf("%#v: %v, yet it changed something", m, err)
				}
				continue
			}
			checkStep(t, before, till.Payments[order], events, m)
			p := known(till, order)
			for _, e := range events {
				books[order] += balance(t, payment.Entries(e))
			}
			if p.Refunded > p.Captured || p.Captured > p.Amount || p.Authorized > p.Amount {
				t.Fatalf("%#v led to impossible amounts: %+v", m, p)
			}
			want := p.Captured
			if p.Ended == payment.EndedRefunded { // a refund is told, and booked, once the order is cancelled
				want -= p.Refunded
			}
			if books[order] != want {
				t.Fatalf("%#v: the books say %d, should say %d for %+v", m, books[order], want, p)
			}
		}
	})
}

// known returns the payment of an order, or an empty one.
func known(till *payment.Till, orderID string) payment.Payment {
	if p := till.Payments[orderID]; p != nil {
		return *p
	}
	return payment.Payment{OrderID: orderID}
}

// copyOf copies all payments but one.
func copyOf(till *payment.Till, but string) map[string]payment.Payment {
	all := map[string]payment.Payment{}
	for id, p := range till.Payments {
		if id != but {
			all[id] = *p
		}
	}
	return all
}
