package payment_test

import (
	"reflect"
	"time"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

const total = 4_200

// at returns a time of the tests, in seconds after their beginning.
func at(seconds int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds) * time.Second)
}

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// letter is a message of another service, by its place in the saga. Their times run against their numbers, so that
// most orders of arrival let time stand still.
type letter int

const (
	placed letter = iota
	reserved
	confirmed
	cancelled
)

func (l letter) message(orderID, method string) payment.Message {
	switch l {
	case placed:
		return payment.OrderPlaced{OrderID: orderID, Amount: total, Currency: "EUR", Method: method, At: at(4)}
	case reserved:
		return payment.StockReserved{OrderID: orderID, At: at(3)}
	case confirmed:
		return payment.OrderConfirmed{OrderID: orderID, Amount: total, Currency: "EUR", At: at(2)}
	default:
		return payment.OrderCancelled{OrderID: orderID, Amount: total, Currency: "EUR", At: at(1)}
	}
}

// saga is all that surrounds one payment: letters still to come, the gateway, calls and answers on their way. It is
// comparable. A payment has at most one live lease; calls and answers of expired leases are stale, but still arrive.
type saga struct {
	orderID  string
	restored bool // the gateway may be further than the payment remembers
	gateway  gateway
	waiting  [4]bool // letters not yet delivered
	came     [4]bool // letters delivered

	expiries int // how many more leases may expire
	live     payment.Operation
	answered bool // the live call's answer is on its way
	answer   payment.Answer
	calls    [4]int // stale calls on their way to the gateway, by operation
	answers  [4]payment.Answer
	told     [4]payment.Answer // delivered last, by operation

	events [6]int // published so far: authorized, declined, captured, capture failed, voided, refunded
	books  int64  // balance of gateway_clearing
}

// action is one thing that may happen next.
type action struct {
	verb string
	n    int
}

// actions lists whatever may happen next. At rest there is none.
func (s *saga) actions(p payment.Payment) []action {
	var all []action
	for i, waits := range s.waiting {
		if waits {
			all = append(all, action{"deliver", i})
		}
	}
	_, due := p.Next()
	switch {
	case s.live == "" && due:
		all = append(all, action{"claim", 0})
	case s.live != "" && s.answered:
		all = append(all, action{"answer", 0})
	case s.live != "" && (s.live != payment.Authorize || s.gateway.method != silent):
		all = append(all, action{"make", 0})
	case s.live != "" && p.Cancelled: // once cancelled, an authorization that is never answered must expire
		all = append(all, action{"lose", 0})
	}
	if s.live != "" && s.expiries > 0 {
		all = append(all, action{"expire", 0}, action{"lose", 0})
	}
	for i := range operations {
		if s.calls[i] > 0 {
			all = append(all, action{"make late", i})
		}
		if s.answers[i].Operation != "" {
			all = append(all, action{"answer late", i})
		}
	}
	return all
}

// apply lets an action happen to the payment in the till.
func (s *saga) apply(t failer, till *payment.Till, a action) {
	t.Helper()
	p := till.Payments[s.orderID]
	switch a.verb {
	case "deliver":
		s.waiting[a.n], s.came[a.n] = false, true
		s.decide(t, till, letter(a.n).message(s.orderID, s.gateway.method))
	case "claim":
		if p.Cancelled && p.Claims == 0 && !till.AskBeforeVoid {
			t.Fatalf("a call for a payment that was cancelled unclaimed")
		}
		call, _ := p.Next()
		p.Claims++
		s.live = call.Operation
	case "make":
		s.answer, s.answered = s.gateway.make(s.call(s.live))
	case "answer":
		answer := s.answer
		s.release()
		s.tell(t, till, answer)
	case "expire": // the call or its answer is still on its way
		i := place(s.live)
		if s.answered {
			s.answers[i] = s.answer
		} else {
			s.calls[i]++
		}
		s.release()
		s.expiries--
	case "lose": // the process died
		s.release()
		s.expiries = max(0, s.expiries-1)
	case "make late":
		s.calls[a.n]--
		if answer, ok := s.gateway.make(s.call(operations[a.n])); ok {
			s.answers[a.n] = answer
		}
	case "answer late":
		answer := s.answers[a.n]
		s.answers[a.n] = payment.Answer{}
		s.tell(t, till, answer)
	}
}

func (s *saga) release() { s.live, s.answered, s.answer = "", false, payment.Answer{} }

func (s *saga) call(o payment.Operation) payment.Call {
	return payment.Call{OrderID: s.orderID, Operation: o, Amount: total, Currency: "EUR", Method: s.gateway.method}
}

func (s *saga) tell(t failer, till *payment.Till, answer payment.Answer) {
	t.Helper()
	s.told[place(answer.Operation)] = answer
	s.decide(t, till, answer)
}

// decide folds a message into the till, and checks whatever must hold after each step.
func (s *saga) decide(t failer, till *payment.Till, m payment.Message) {
	t.Helper()
	before := payment.Payment{OrderID: s.orderID}
	if p := till.Payments[s.orderID]; p != nil {
		before = *p
	}
	events, err := m.Decide(till)
	if err != nil {
		t.Fatalf("%#v refused: %v\nin %+v\nof %+v", m, err, before, *s)
	}
	checkStep(t, before, till.Payments[s.orderID], events, m)

	for _, e := range events {
		switch e.(type) {
		case payment.Authorized:
			s.events[0]++
		case payment.Declined:
			s.events[1]++
		case payment.Captured:
			s.events[2]++
		case payment.CaptureFailed:
			s.events[3]++
		case payment.Voided:
			s.events[4]++
		case payment.Refunded:
			s.events[5]++
		}
		s.books += balance(t, payment.Entries(e))
	}
	if before.Ended != "" && len(events) > 0 {
		t.Fatalf("%#v of a payment that had ended led to %#v", m, events)
	}
	if _, isAnswer := m.(payment.Answer); isAnswer && before.Ended != "" && *till.Payments[s.orderID] != before {
		t.Fatalf("%#v changed a payment that had ended", m)
	}
	method := s.gateway.method
	if s.events[1] > 0 && method != declined && method != unknownMethod {
		t.Fatalf("declined after %#v, though the gateway declines nothing", m)
	}
	forgotten := s.restored && s.gateway.canceled
	if s.events[3] > 0 && method != captureDeclined && method != expired && !forgotten {
		t.Fatalf("capture failed after %#v, though the gateway captures whatever is held", m)
	}
	for i, n := range s.events {
		if n > 1 {
			t.Fatalf("event %d published %d times after %#v", i, n, m)
		}
	}
	if s.events[4]+s.events[5] > 1 {
		t.Fatalf("one cancellation answered twice after %#v", m)
	}
}

// checkStep checks versions, times and stamps of one step.
func checkStep(t failer, before payment.Payment, after *payment.Payment, events []payment.Event, m payment.Message) {
	t.Helper()
	if after == nil {
		t.Fatalf("%#v left no payment", m)
	}
	steps := int64(len(events))
	if changed := !reflect.DeepEqual(before, *after); changed && steps == 0 {
		steps = 1
	}
	if after.Version != before.Version+steps {
		t.Fatalf("%#v: version went from %d to %d with events %#v", m, before.Version, after.Version, events)
	}
	if after.Stored != before.Stored || after.Claims != before.Claims || after.OrderID != before.OrderID {
		t.Fatalf("%#v touched what is not its own: %+v to %+v", m, before, *after)
	}
	if after.UpdatedAt.Before(before.UpdatedAt) {
		t.Fatalf("%#v: time went back from %v to %v", m, before.UpdatedAt, after.UpdatedAt)
	}
	for i, e := range events {
		want := payment.Stamp{OrderID: after.OrderID, Version: before.Version + int64(i) + 1, At: after.UpdatedAt}
		if got := e.Stamped(); got != want {
			t.Fatalf("%#v: event %d is stamped %+v, want %+v", m, i, got, want)
		}
	}
}

// balance returns what entries add to gateway_clearing, having checked that their lines balance.
func balance(t failer, entries []payment.Entry) int64 {
	t.Helper()
	var clearing int64
	for _, entry := range entries {
		var sum int64
		for _, line := range entry.Lines() {
			if line.Debit < 0 || line.Credit < 0 || (line.Debit == 0) == (line.Credit == 0) {
				t.Fatalf("line %+v has not exactly one side", line)
			}
			sum += line.Debit - line.Credit
			if line.Account == payment.GatewayClearing {
				clearing += line.Debit - line.Credit
			}
		}
		if sum != 0 {
			t.Fatalf("entry %+v is out of balance by %d", entry, sum)
		}
	}
	return clearing
}
