package order_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

var (
	tea       = order.ProductUpdated{SKU: "tea", Name: "Tea", Price: 450, Currency: "EUR", Version: 1}
	cup       = order.ProductUpdated{SKU: "cup", Name: "Cup", Price: 900, Currency: "EUR", Version: 1}
	gin       = order.ProductUpdated{SKU: "gin", Name: "Gin", Price: 3100, Currency: "GBP", Version: 1}
	catalogue = []order.Message{tea, cup, gin}
	place     = order.Place{
		OrderID: "o1", CustomerID: "c1", Email: "ada@example.com", PaymentMethod: "tok_visa", At: at(0),
		Lines: []order.Item{{SKU: "tea", Quantity: 3}, {SKU: "cup", Quantity: 2}}, Timeout: 2 * time.Minute,
	}
	cancel   = order.Cancel{OrderID: "o1", Detail: "too late", At: at(9)}
	timedOut = order.TimedOut{OrderID: "o1", At: at(9)}

	reserved      = answer(1, order.StockReserved{})
	failed        = answer(1, order.StockReservationFailed{Reason: "out_of_stock", Shortages: shortages})
	authorized    = answer(2, order.PaymentAuthorized{Amount: 3150, Currency: "EUR"})
	declined      = answer(2, order.PaymentDeclined{Reason: "card_declined"})
	committed     = answer(3, order.StockCommitted{})
	captured      = answer(4, order.PaymentCaptured{Amount: 3150, Currency: "EUR"})
	captureFailed = answer(4, order.PaymentCaptureFailed{Reason: "declined"})
	released      = answer(10, order.StockReleased{Lines: []order.StockLine{{SKU: "tea", Quantity: 3}}})
	voided        = answer(11, order.PaymentVoided{Amount: 3150, Currency: "EUR"})
	refunded      = answer(11, order.PaymentRefunded{Amount: 3150, Currency: "EUR", SettledByHand: true})

	shortages = []order.Shortage{{SKU: "tea", Requested: 3, Available: 1}}
)

func answer(minute int, a order.Answer) order.Answered {
	return order.Answered{OrderID: "o1", At: at(minute), Answer: a}
}

func given(t tb, messages ...order.Message) *world {
	t.Helper()
	w := newWorld()
	for _, m := range append(catalogue[:len(catalogue):len(catalogue)], messages...) {
		if _, err := w.step(t, m); err != nil {
			t.Fatalf("%#v: %v", m, err)
		}
	}
	return w
}

func head(version int64, minute int) order.Head {
	return order.Head{OrderID: "o1", Version: version, At: at(minute)}
}

func TestDecide(t *testing.T) {
	total := func(h order.Head, reason order.Reason, detail string) order.Event {
		return order.Cancelled{Head: h, Reason: reason, Detail: detail, Currency: "EUR", Total: 3150}
	}
	tests := []struct {
		name  string
		given []order.Message
		when  order.Message
		want  []order.Event
	}{
		{
			name: "an order is placed at the catalogue's prices", when: place,
			want: []order.Event{order.Placed{
				Head: head(1, 0), CustomerID: "c1", Email: "ada@example.com", PaymentMethod: "tok_visa",
				Currency: "EUR", Total: 3150, Deadline: at(2),
				Lines: []order.Line{{SKU: "tea", Quantity: 3, UnitPrice: 450}, {SKU: "cup", Quantity: 2, UnitPrice: 900}},
			}},
		},
		{
			name: "a reservation alone does not confirm", given: []order.Message{place}, when: reserved,
			want: []order.Event{order.StockReserved{Head: head(2, 1)}},
		},
		{
			name: "an authorization after the reservation confirms", given: []order.Message{place, reserved}, when: authorized,
			want: []order.Event{
				order.PaymentAuthorized{Head: head(3, 2), Amount: 3150, Currency: "EUR"},
				order.Confirmed{Head: head(4, 2), Currency: "EUR", Total: 3150},
			},
		},
		{
			name:  "so does a reservation after the authorization, and time does not run backwards",
			given: []order.Message{place, authorized}, when: reserved,
			want: []order.Event{
				order.StockReserved{Head: head(3, 2)},
				order.Confirmed{Head: head(4, 2), Currency: "EUR", Total: 3150},
			},
		},
		{
			name: "a failed reservation cancels", given: []order.Message{place}, when: failed,
			want: []order.Event{
				order.StockReservationFailed{Head: head(2, 1), Reason: "out_of_stock", Shortages: shortages},
				total(head(3, 1), order.ReasonOutOfStock, ""),
			},
		},
		{
			name: "a declined payment cancels", given: []order.Message{place, reserved}, when: declined,
			want: []order.Event{
				order.PaymentDeclined{Head: head(3, 2), Reason: "card_declined"},
				total(head(4, 2), order.ReasonPaymentDeclined, ""),
			},
		},
		{
			name:  "a failed capture cancels a confirmed order",
			given: []order.Message{place, reserved, authorized, committed}, when: captureFailed,
			want: []order.Event{
				order.PaymentCaptureFailed{Head: head(6, 4), Reason: "declined"},
				total(head(7, 4), order.ReasonPaymentFailed, ""),
			},
		},
		{
			name:  "a failed capture that overtakes the reservation cancels once that has come",
			given: []order.Message{place, authorized, captureFailed}, when: reserved,
			want: []order.Event{
				order.StockReserved{Head: head(4, 4)},
				order.Confirmed{Head: head(5, 4), Currency: "EUR", Total: 3150},
				total(head(6, 4), order.ReasonPaymentFailed, ""),
			},
		},
		{
			name: "a customer cancels a pending order", given: []order.Message{place}, when: cancel,
			want: []order.Event{total(head(2, 9), order.ReasonCustomerRequest, "too late")},
		},
		{
			name: "a customer cancels a confirmed order", given: []order.Message{place, reserved, authorized}, when: cancel,
			want: []order.Event{total(head(5, 9), order.ReasonCustomerRequest, "too late")},
		},
		{
			name: "the first reason stays", given: []order.Message{place, timedOut}, when: cancel,
		},
		{
			name: "a pending order times out", given: []order.Message{place, reserved}, when: timedOut,
			want: []order.Event{total(head(3, 9), order.ReasonTimedOut, "")},
		},
		{
			name: "a confirmed order does not time out", given: []order.Message{place, reserved, authorized}, when: timedOut,
		},
		{
			name: "a cancelled order does not time out", given: []order.Message{place, cancel}, when: timedOut,
		},
		{
			name:  "what comes too late is recorded, and confirms nothing",
			given: []order.Message{place, reserved, cancel}, when: authorized,
			want: []order.Event{order.PaymentAuthorized{Head: head(4, 9), Amount: 3150, Currency: "EUR"}},
		},
		{
			name: "a late failure does not cancel again", given: []order.Message{place, cancel}, when: failed,
			want: []order.Event{order.StockReservationFailed{
				Head: head(3, 9), Reason: "out_of_stock", Shortages: shortages}},
		},
		{
			name: "an answer repeated", given: []order.Message{place, reserved, authorized}, when: authorized,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := given(t, tt.given...)
			events, err := w.step(t, tt.when)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownOrdersAreRefused(t *testing.T) {
	for _, m := range []order.Message{cancel, timedOut, reserved, failed, authorized, declined, committed, captured,
		captureFailed, released, voided, refunded} {
		if _, err := given(t).step(t, m); !errors.Is(err, order.ErrUnknownOrder) {
			t.Errorf("%#v: error = %v", m, err)
		}
	}
}

func TestAnIDIsTakenOnce(t *testing.T) {
	if _, err := given(t, place).step(t, place); !errors.Is(err, order.ErrOrderExists) {
		t.Errorf("error = %v", err)
	}
}

func TestOnlyAnswersAreAnswers(t *testing.T) {
	var none *order.StockReserved
	for _, a := range []order.Answer{nil, none, &order.StockReserved{}} {
		if _, err := given(t, place).step(t, answer(1, a)); !errors.Is(err, order.ErrUnknownAnswer) {
			t.Errorf("%#v: error = %v", a, err)
		}
	}
}

func TestStepsAndCompletion(t *testing.T) {
	steps := func(stock order.StepStatus, stockAt int, payment order.StepStatus, paymentAt int) []order.Step {
		return []order.Step{
			{Name: order.StepStock, Status: stock, At: at(stockAt)},
			{Name: order.StepPayment, Status: payment, At: at(paymentAt)},
		}
	}
	tests := []struct {
		name      string
		given     []order.Message
		steps     []order.Step
		waiting   []order.StepName
		completed bool
	}{
		{
			name:    "placed",
			steps:   steps(order.StepPending, 0, order.StepPending, 0),
			waiting: []order.StepName{order.StepStock, order.StepPayment},
		},
		{
			name: "reserved", given: []order.Message{reserved},
			steps:   steps(order.StepReserved, 1, order.StepPending, 0),
			waiting: []order.StepName{order.StepPayment},
		},
		{
			name: "confirmed", given: []order.Message{reserved, authorized},
			steps:   steps(order.StepReserved, 1, order.StepAuthorized, 2),
			waiting: []order.StepName{order.StepStock, order.StepPayment},
		},
		{
			name: "committed and captured", given: []order.Message{reserved, authorized, committed, captured},
			steps:     steps(order.StepCommitted, 3, order.StepCaptured, 4),
			completed: true,
		},
		{
			name:    "cancelled afterwards, it is open again",
			given:   []order.Message{reserved, authorized, committed, captured, cancel},
			steps:   steps(order.StepCommitted, 3, order.StepCaptured, 4),
			waiting: []order.StepName{order.StepStock, order.StepPayment},
		},
		{
			name:    "released, but not refunded",
			given:   []order.Message{reserved, authorized, committed, captured, cancel, released},
			steps:   steps(order.StepReleased, 10, order.StepCaptured, 4),
			waiting: []order.StepName{order.StepPayment},
		},
		{
			name:      "released and refunded",
			given:     []order.Message{reserved, authorized, committed, captured, cancel, released, refunded},
			steps:     steps(order.StepReleased, 10, order.StepRefunded, 11),
			completed: true,
		},
		{
			name: "out of stock", given: []order.Message{failed},
			steps:   steps(order.StepFailed, 1, order.StepPending, 0),
			waiting: []order.StepName{order.StepStock, order.StepPayment},
		},
		{
			name: "out of stock, released and voided", given: []order.Message{failed, released, voided},
			steps:     steps(order.StepReleased, 10, order.StepVoided, 11),
			completed: true,
		},
		{
			name: "declined, not yet voided", given: []order.Message{reserved, declined, released},
			steps:   steps(order.StepReleased, 10, order.StepDeclined, 2),
			waiting: []order.StepName{order.StepPayment},
		},
		{
			name: "capture failed", given: []order.Message{reserved, authorized, captureFailed},
			steps:   steps(order.StepReserved, 1, order.StepCaptureFailed, 4),
			waiting: []order.StepName{order.StepStock, order.StepPayment},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := given(t, append([]order.Message{place}, tt.given...)...).book.Orders["o1"]
			if diff := cmp.Diff(tt.steps, o.Steps()); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.waiting, o.WaitingFor(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("waiting for (-want +got):\n%s", diff)
			}
			if o.Completed() != tt.completed {
				t.Errorf("completed = %v", o.Completed())
			}
		})
	}
}

func TestWhatAnOperatorSettledIsRemembered(t *testing.T) {
	tests := []struct {
		name   string
		answer order.Answer
		want   bool
	}{
		{"voided", order.PaymentVoided{}, false},
		{"voided by hand", order.PaymentVoided{SettledByHand: true}, true},
		{"refunded", order.PaymentRefunded{}, false},
		{"refunded by hand", order.PaymentRefunded{SettledByHand: true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := given(t, place, reserved, authorized, captured, cancel, answer(11, tt.answer)).book.Orders["o1"]
			if o.Payment.SettledByHand != tt.want {
				t.Errorf("settled by hand = %v", o.Payment.SettledByHand)
			}
		})
	}
}
