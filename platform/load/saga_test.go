package load

import (
	"testing"
	"time"
)

func TestASagaIsCompleteWithBothAnswersToItsPresentStatus(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }
	// Each event with the second of its publication.
	type events map[Step]int
	tests := map[string]struct {
		events             events
		reason             string
		decided, completed int // 0: not
		outcome            string
	}{
		"placed":              {events{OrderPlaced: 1, StockReserved: 2}, "", 0, 0, "pending"},
		"confirmed":           {events{OrderConfirmed: 3, StockCommitted: 4}, "", 3, 0, "confirmed"},
		"confirmed and taken": {events{OrderConfirmed: 3, StockCommitted: 5, PaymentCaptured: 4}, "", 3, 5, "confirmed"},
		"not paid":            {events{OrderConfirmed: 3, PaymentCaptured: 4}, "", 3, 0, "confirmed"},
		"cancelled":           {events{OrderCancelled: 3, StockReleased: 4}, "timed_out", 3, 0, "cancelled: timed_out"},
		"cancelled and void":  {events{OrderCancelled: 3, StockReleased: 4, PaymentVoided: 5}, "", 3, 5, "cancelled"},
		"cancelled after confirmation": {
			events{OrderConfirmed: 3, StockCommitted: 4, PaymentCaptured: 4, OrderCancelled: 5, StockReleased: 7, PaymentRefunded: 6},
			"customer_request", 3, 7, "cancelled: customer_request",
		},
		"cancelled after confirmation, not yet refunded": {
			events{OrderConfirmed: 3, StockCommitted: 4, PaymentCaptured: 4, OrderCancelled: 5, StockReleased: 7},
			"", 3, 0, "cancelled",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := Saga{Reason: test.reason}
			for n, second := range test.events {
				s.At[n].Published = at(second)
			}
			if got := s.Decided(); got.IsZero() != (test.decided == 0) || test.decided > 0 && got != at(test.decided) {
				t.Errorf("decided %s", got)
			}
			if got := s.Completed(); got.IsZero() != (test.completed == 0) || test.completed > 0 && got != at(test.completed) {
				t.Errorf("completed %s", got)
			}
			if got := s.Outcome(); got != test.outcome {
				t.Errorf("outcome %q", got)
			}
		})
	}
}
