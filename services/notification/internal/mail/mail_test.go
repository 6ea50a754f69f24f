package mail_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

const (
	order   = "o-1"
	address = "ada@example.com"
	domain  = "shop.example"
	total   = 4_200
)

func at(second int) time.Time { return time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC) }

func place() mail.Message {
	return mail.OrderPlaced{
		OrderID: order, Address: address, Domain: domain, Total: total, Currency: "EUR", At: at(1),
		Lines: []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 2_100}},
	}
}

func confirm() mail.Message {
	return mail.OrderConfirmed{OrderID: order, Total: total, Currency: "EUR", At: at(2)}
}

func cancel() mail.Message {
	return mail.OrderCancelled{
		OrderID: order, Reason: mail.ReasonCustomerRequest, Detail: "too late", Total: total, Currency: "EUR", At: at(3),
	}
}

func refund(amount int64) mail.Message {
	return mail.PaymentRefunded{OrderID: order, Amount: amount, Currency: "EUR", At: at(4)}
}

func answer(kind mail.Kind, outcome mail.Outcome) mail.Message {
	return mail.Answer{OrderID: order, Kind: kind, Outcome: outcome, At: at(5)}
}

// TestStories folds messages and lists, after each, what happened and which mail is due.
func TestStories(t *testing.T) {
	type step struct {
		message mail.Message
		want    string
	}
	tests := map[string][]step{
		"confirmed": {
			{place(), "due none"},
			{confirm(), "due confirmation"},
			{answer(mail.Confirmation, mail.Sent), "confirmation sent as 3, due none"},
		},
		"confirmed, then cancelled and refunded": {
			{place(), "due none"},
			{confirm(), "due confirmation"},
			{cancel(), "due confirmation"},
			{refund(total), "due confirmation"},
			{answer(mail.Confirmation, mail.Sent), "confirmation sent as 5, due cancellation"},
			{answer(mail.Cancellation, mail.Sent), "cancellation sent as 6, due refund"},
			{answer(mail.Refund, mail.Sent), "refund sent as 7, due none"},
		},
		"a mail that fails does not hold the next": {
			{place(), "due none"},
			{confirm(), "due confirmation"},
			{cancel(), "due confirmation"},
			{answer(mail.Confirmation, mail.Expired), "confirmation failed (expired) as 4, due cancellation"},
			{answer(mail.Cancellation, mail.Refused), "cancellation failed (refused) as 5, due none"},
		},
		"the first outcome stays": {
			{place(), "due none"},
			{confirm(), "due confirmation"},
			{answer(mail.Confirmation, mail.Expired), "confirmation failed (expired) as 3, due none"},
			{answer(mail.Confirmation, mail.Sent), "due none"},
		},
		"the refund overtakes the cancellation": {
			{place(), "due none"},
			{refund(total), "due none"},
			{cancel(), "due cancellation"},
			{answer(mail.Cancellation, mail.Sent), "cancellation sent as 4, due refund"},
		},
		"the refund overtakes everything": {
			{refund(total), "due none"},
			{cancel(), "due none"},
			{place(), "due cancellation"},
		},
		"a partial refund": {
			{place(), "due none"},
			{cancel(), "due cancellation"},
			{refund(100), "due cancellation"},
		},
		"nothing was taken, so nothing is given back": {
			{refund(0), "due none"},
			{place(), "due none"},
			{cancel(), "due cancellation"},
			{answer(mail.Cancellation, mail.Sent), "cancellation sent as 3, due none"},
		},
		"a confirmation that is learnt after the cancellation is not told": {
			{place(), "due none"},
			{cancel(), "due cancellation"},
			{confirm(), "due cancellation"},
			{answer(mail.Cancellation, mail.Sent), "cancellation sent as 4, due none"},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			room := &mail.Room{}
			for i, s := range steps {
				events, err := s.message.Decide(room)
				if err != nil {
					t.Fatalf("step %d, %T: %v", i+1, s.message, err)
				}
				if got := describe(room, events); got != s.want {
					t.Errorf("step %d, %T: %q, want %q", i+1, s.message, got, s.want)
				}
				before := copyOf(room)[order]
				if events, err := s.message.Decide(room); err != nil || len(events) > 0 || copyOf(room)[order] != before {
					t.Errorf("step %d, %T: a duplicate led to %v, %v", i+1, s.message, events, err)
				}
			}
		})
	}
}

func describe(room *mail.Room, events []mail.Event) (text string) {
	for _, e := range events {
		s := e.Stamped()
		switch e := e.(type) {
		case mail.MailSent:
			text += fmt.Sprintf("%s sent as %d, ", s.Kind, s.Version)
		case mail.MailFailed:
			text += fmt.Sprintf("%s failed (%s) as %d, ", s.Kind, e.Reason, s.Version)
		}
	}
	if l := room.Logs[order]; l != nil {
		if call, due := l.Next(); due {
			return text + "due " + string(call.Kind)
		}
	}
	return text + "due none"
}

func TestNextHoldsAllThatTheMailNeeds(t *testing.T) {
	room := &mail.Room{}
	for _, m := range []mail.Message{place(), cancel(), refund(100)} {
		if _, err := m.Decide(room); err != nil {
			t.Fatal(err)
		}
	}
	want := mail.Call{
		OrderID: order, Kind: mail.Cancellation, MessageID: "o-1.cancellation@shop.example", To: address,
		Date: at(3), Due: at(3), Lines: []mail.Line{{SKU: "tea-001", Quantity: 2, UnitPrice: 2_100}},
		Total: total, Currency: "EUR", Reason: mail.ReasonCustomerRequest, Detail: "too late", Refunded: 100,
	}
	got, _ := room.Logs[order].Next()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAMovedSenderKeepsItsMessageIDs places an order twice, the second time from another domain.
func TestAMovedSenderKeepsItsMessageIDs(t *testing.T) {
	room := &mail.Room{}
	again := place().(mail.OrderPlaced)
	again.Domain = "moved.example"
	for _, m := range []mail.Message{place(), again} {
		if _, err := m.Decide(room); err != nil {
			t.Fatal(err)
		}
	}
	if got := room.Logs[order].MessageID(mail.Refund); got != "o-1.refund@shop.example" {
		t.Errorf("Message-ID %q", got)
	}
}

func TestRefusals(t *testing.T) {
	known := []mail.Message{place(), confirm(), refund(100)}
	placed, cancelled := place().(mail.OrderPlaced), cancel().(mail.OrderCancelled)
	with := func(change func(*mail.OrderPlaced)) mail.Message {
		m := placed
		change(&m)
		return m
	}
	tests := map[string]struct {
		message mail.Message
		want    error
	}{
		"no order id":      {with(func(m *mail.OrderPlaced) { m.OrderID = "" }), mail.ErrInvalid},
		"a hostile id":     {with(func(m *mail.OrderPlaced) { m.OrderID = "o\r\nBcc: x" }), mail.ErrInvalid},
		"no time":          {with(func(m *mail.OrderPlaced) { m.At = time.Time{} }), mail.ErrInvalid},
		"no total":         {with(func(m *mail.OrderPlaced) { m.Total = 0 }), mail.ErrInvalid},
		"no currency":      {with(func(m *mail.OrderPlaced) { m.Currency = "eur" }), mail.ErrInvalid},
		"another total":    {with(func(m *mail.OrderPlaced) { m.Total++ }), mail.ErrContradiction},
		"another currency": {with(func(m *mail.OrderPlaced) { m.Currency = "USD" }), mail.ErrContradiction},
		"another address":  {with(func(m *mail.OrderPlaced) { m.Address = "eve@example.com" }), mail.ErrContradiction},
		"other lines":      {with(func(m *mail.OrderPlaced) { m.Lines = nil }), mail.ErrContradiction},
		"a cancellation of another total": {
			mail.OrderCancelled{OrderID: order, Reason: cancelled.Reason, Total: 1, Currency: "EUR", At: at(3)},
			mail.ErrContradiction,
		},
		"a confirmation of another total": {
			mail.OrderConfirmed{OrderID: order, Total: 1, Currency: "EUR", At: at(3)}, mail.ErrContradiction,
		},
		"a negative refund":        {refund(-1), mail.ErrInvalid},
		"another refund":           {refund(101), mail.ErrContradiction},
		"no kind":                  {answer("", mail.Sent), mail.ErrInvalid},
		"no outcome":               {answer(mail.Confirmation, ""), mail.ErrInvalid},
		"a mail nobody sent":       {answer(mail.Cancellation, mail.Sent), mail.ErrContradiction},
		"a mail that waits so far": {answer(mail.Refund, mail.Sent), mail.ErrContradiction},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			room := &mail.Room{}
			for _, m := range known {
				if _, err := m.Decide(room); err != nil {
					t.Fatal(err)
				}
			}
			before := *room.Logs[order]
			events, err := test.message.Decide(room)
			if !errors.Is(err, test.want) || len(events) > 0 {
				t.Errorf("error %v with %v, want %v", err, events, test.want)
			}
			if len(room.Logs) != 1 || *room.Logs[order] != before {
				t.Errorf("it changed something: %+v", room.Logs)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	room := &mail.Room{}
	for _, m := range []mail.Message{place(), confirm(), cancel()} {
		if _, err := m.Decide(room); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...mail.Status) {
		t.Helper()
		var got []mail.Status
		for _, m := range room.Logs[order].Mails {
			got = append(got, m.Status())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	check(mail.StatusPending, mail.StatusWaiting, mail.StatusWaiting)
	for _, m := range []mail.Message{answer(mail.Confirmation, mail.Sent), answer(mail.Cancellation, mail.Refused)} {
		if _, err := m.Decide(room); err != nil {
			t.Fatal(err)
		}
	}
	check(mail.StatusSent, mail.StatusFailed, mail.StatusWaiting)
}
