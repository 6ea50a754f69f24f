package mail_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// TestDecideIsTotal throws arbitrary messages at arbitrary logs. Whatever comes, decide returns; after an error all is
// as before; after none the version and what is told of it agree.
func TestDecideIsTotal(t *testing.T) {
	// What fits together is drawn more often, so that many messages are taken.
	id := rapid.SampledFrom([]string{"", "o-1", "o-1", "o-1", "o-2", "o\r\n"})
	amount := rapid.SampledFrom([]int64{2, 2, 2, 2, 2, 0, 1, -1, math.MinInt64, math.MaxInt64})
	currency := rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "EUR", "USD", "", "eur"})
	when := rapid.SampledFrom([]time.Time{{}, at(1), at(2), at(3), at(4), at(5)})
	kind := rapid.SampledFrom([]mail.Kind{"", "poem", mail.Confirmation, mail.Cancellation, mail.Refund})
	outcome := rapid.SampledFrom([]mail.Outcome{"", "lost", mail.Sent, mail.Refused, mail.Expired})
	text := rapid.SampledFrom([]string{"", address, address, "ada\r\nBcc: eve@example.com"})
	lines := rapid.SampledFrom([][]mail.Line{nil, nil, {{SKU: "tea", Quantity: -1, UnitPrice: math.MinInt64}}})
	message := rapid.Custom(func(t *rapid.T) mail.Message {
		order, sum, at, code := id.Draw(t, "order"), amount.Draw(t, "sum"), when.Draw(t, "at"), currency.Draw(t, "code")
		switch rapid.IntRange(0, 6).Draw(t, "message") {
		case 0:
			return mail.OrderPlaced{
				OrderID: order, Address: text.Draw(t, "address"), Domain: domain, Lines: lines.Draw(t, "lines"),
				Total: sum, Currency: code, At: at,
			}
		case 1:
			return mail.OrderConfirmed{OrderID: order, Total: sum, Currency: code, At: at}
		case 2:
			return mail.OrderCancelled{
				OrderID: order, Reason: mail.Reason(text.Draw(t, "reason")), Detail: text.Draw(t, "detail"),
				Total: sum, Currency: code, At: at,
			}
		case 3:
			return mail.PaymentRefunded{OrderID: order, Amount: sum, Currency: code, At: at}
		default:
			return mail.Answer{OrderID: order, Kind: kind.Draw(t, "kind"), Outcome: outcome.Draw(t, "outcome"), At: at}
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		room := &mail.Room{}
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			m := message.Draw(t, "message")
			before := copyOf(room)
			events, err := m.Decide(room)
			if err != nil {
				if diff := cmp.Diff(before, copyOf(room)); diff != "" || len(events) > 0 {
					t.Fatalf("%#v: %v, yet %v and (-before +after):\n%s", m, err, events, diff)
				}
				continue
			}
			after := copyOf(room)
			for id, l := range after {
				was := before[id]
				if l.UpdatedAt.Before(was.UpdatedAt) {
					t.Fatalf("%#v: the time ran back", m)
				}
				changed := l != was
				switch rise := l.Version - was.Version; {
				case id != m.Needs().Logs[0]:
					if changed {
						t.Fatalf("%#v changed order %s", m, id)
					}
				case !changed && (rise != 0 || len(events) > 0), changed && rise != max(1, int64(len(events))):
					t.Fatalf("%#v: the version rose by %d for %v", m, rise, events)
				}
				for i, e := range events {
					if s := e.Stamped(); s.OrderID == id && s.Version != was.Version+int64(i)+1 {
						t.Fatalf("%#v: event %d has the version %d after %d", m, i, s.Version, was.Version)
					}
				}
				checkOneAtATime(t, l)
			}
		}
	})
}

// checkOneAtATime holds that a mail is due only once those before it have ended.
func checkOneAtATime(t *rapid.T, l mail.Log) {
	t.Helper()
	pending := 0
	for _, m := range l.Mails {
		if m.Status() == mail.StatusPending {
			pending++
		}
	}
	if pending > 1 {
		t.Fatalf("%d mails are pending: %+v", pending, l)
	}
}

func copyOf(room *mail.Room) map[string]mail.Log {
	all := make(map[string]mail.Log)
	for id, l := range room.Logs {
		all[id] = *l
	}
	return all
}
