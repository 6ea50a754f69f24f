package saga

import (
	"slices"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/schemas"
)

// mailsKnown holds which letters have been searched already.
type mailsKnown map[string]bool

// check holds that an order at rest has exactly the mails that belong to its end, in their order, whichever way its
// letters came.
func (known mailsKnown) check(t fataler, w *world, id string) {
	t.Helper()
	l := w.lettersOf(id)
	key, err := l.key()
	if err != nil {
		t.Fatalf("%v", err)
	}
	status, _, _, _ := w.order.End(id)
	_, _, refunded, _ := w.payment.Money(id)
	confirmed := slices.ContainsFunc(w.letters, func(e event.Event) bool {
		_, is := e.Data.(*schemas.OrderConfirmed)
		return is && e.Key == id
	})
	var want string
	switch {
	case status == "confirmed":
		want = "confirmation"
	case confirmed && refunded > 0:
		want = "confirmation cancellation refund"
	case confirmed:
		want = "confirmation cancellation"
	case refunded > 0:
		want = "cancellation refund"
	default:
		want = "cancellation"
	}
	key = want + key
	if known[key] {
		return
	}
	known[key] = true
	got, err := mails(id, l)
	if err != nil {
		t.Fatalf("mails of the %s order %s: %v", status, id, err)
	}
	if len(got) != 1 || got[0] != want {
		t.Fatalf("the %s order %s has the mails %q, want %q only", status, id, got, want)
	}
}

// TestNobodyReadsWhatNotificationSays is what allows its interleavings to be searched apart from the others'.
func TestNobodyReadsWhatNotificationSays(t *testing.T) {
	for _, topic := range schemas.Topics() {
		if topic.Name == "notification.events" && len(topic.Consumers) > 0 {
			t.Errorf("%s is read by %v: search them together", topic.Name, topic.Consumers)
		}
	}
}
