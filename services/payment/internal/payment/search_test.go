package payment_test

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// node is one point of the search. Version, times and the exact number of claims do not steer the domain and are left
// out, so that paths meet.
type node struct {
	payment payment.Payment
	exists  bool
	saga    saga
}

func nodeOf(till *payment.Till, s saga) node {
	n := node{saga: s}
	if p := till.Payments[s.orderID]; p != nil {
		n.payment, n.exists = *p, true
		n.payment.Version, n.payment.UpdatedAt, n.payment.Claims = 7, time.Time{}, min(1, p.Claims)
	}
	return n
}

func (n node) till() *payment.Till {
	till := &payment.Till{Payments: map[string]*payment.Payment{}}
	if n.exists {
		p := n.payment
		till.Payments[n.saga.orderID] = &p
	}
	return till
}

// verdict is the end that two paths must share if the gateway did the same on both.
type verdict struct {
	status                       payment.Status
	captured, refunded, released int64
	stuck                        bool
}

// TestEveryInterleaving walks through every order in which the letters of one order, the calls to the gateway and their
// answers can happen, with two leases expiring wherever they can, their calls and answers arriving late or never. At
// each point every message that came before comes once more, and messages that cannot be true come too.
func TestEveryInterleaving(t *testing.T) {
	letters := map[string][]letter{
		"confirmed":                     {placed, reserved, confirmed},
		"cancelled":                     {placed, reserved, cancelled},
		"confirmed and cancelled":       {placed, reserved, confirmed, cancelled},
		"cancelled without stock":       {placed, cancelled},
		"cancelled without an order":    {reserved, cancelled},
		"nothing but the cancellation":  {cancelled},
		"authorized and left undecided": {placed, reserved},
	}
	methods := []string{
		visa, declined, captureDeclined, expired, cancelDeclined, refundDeclined, silent, unknownMethod,
	}
	for name, sent := range letters {
		for _, method := range methods {
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				states := 0
				for _, g := range []gateway{
					{method: method},
					{method: method, current: true},
					{method: method, forgets: true},
				} {
					states += search(t, g, sent)
				}
				t.Logf("%d states", states)
			})
		}
	}
}

func search(t failer, g gateway, sent []letter) int {
	start := node{saga: saga{orderID: "o-1", gateway: g, expiries: 2}}
	for _, l := range sent {
		start.saga.waiting[l] = true
	}
	seen := map[node]bool{start: true}
	open := []node{start}
	ends := map[gateway]verdict{}
	for len(open) > 0 {
		n := open[len(open)-1]
		open = open[:len(open)-1]
		checkRepeats(t, n)
		checkRefusals(t, n)

		actions := n.saga.actions(n.payment)
		if len(actions) == 0 {
			checkEnd(t, n, ends)
		}
		for _, a := range actions {
			till, s := n.till(), n.saga
			s.apply(t, till, a)
			if next := nodeOf(till, s); !seen[next] {
				seen[next] = true
				open = append(open, next)
			}
		}
	}
	if len(ends) == 0 {
		t.Fatalf("of %d states none is at rest", len(seen))
	}
	return len(seen)
}

func checkEnd(t failer, n node, ends map[gateway]verdict) {
	t.Helper()
	n.saga.checkRest(t, n.payment)
	p := n.payment
	end := verdict{
		status: p.Status(), captured: p.Captured, refunded: p.Refunded, released: p.Released(), stuck: p.Stuck(),
	}
	if n.saga.gateway.forgets {
		end.released = 0 // depends on whether the authorization's answer was lost
	}
	// What the gateway stored for repeated calls is not what it did.
	did := n.saga.gateway
	did.answers = [4]payment.Answer{}
	if other, known := ends[did]; known && other != end {
		t.Fatalf("two ends, %+v and %+v, though the gateway did the same", other, end)
	}
	ends[did] = end
}

// checkRepeats delivers again what was delivered before: nothing may change, be said or be refused.
func checkRepeats(t failer, n node) {
	t.Helper()
	var came []payment.Message
	for i, c := range n.saga.came {
		if c {
			came = append(came, letter(i).message(n.saga.orderID, n.saga.gateway.method))
		}
	}
	for _, answer := range n.saga.told {
		if answer.Operation != "" {
			came = append(came, answer)
		}
	}
	for _, m := range came {
		till := n.till()
		events, err := m.Decide(till)
		if err != nil || len(events) > 0 || !reflect.DeepEqual(till, n.till()) {
			t.Fatalf("%#v came twice: events %#v, error %v, state %+v, was %+v", m, events, err,
				*till.Payments[n.saga.orderID], n.payment)
		}
	}
}

// checkRefusals delivers messages that cannot be true: each must be refused and leave the state as it was, down to the
// last field.
func checkRefusals(t failer, n node) {
	t.Helper()
	for _, m := range hostile(n) {
		till := n.till()
		events, err := m.Decide(till)
		if err == nil {
			t.Fatalf("%#v was taken by %+v", m, n.payment)
		}
		if len(events) > 0 || !reflect.DeepEqual(till, n.till()) {
			t.Fatalf("%#v was refused, yet left events %#v and %+v", m, events, till.Payments)
		}
	}
}

func hostile(n node) []payment.Message {
	id := n.saga.orderID
	intent := payment.Intent{ID: "pi_" + id}
	all := []payment.Message{
		payment.OrderPlaced{OrderID: id, Amount: 0, Currency: "EUR", Method: visa},
		payment.OrderPlaced{OrderID: id, Amount: total, Currency: "EUR"},
		payment.OrderConfirmed{OrderID: id, Amount: -total, Currency: "EUR"},
		payment.OrderCancelled{OrderID: id, Amount: total, Currency: "€"},
		payment.Answer{OrderID: id, Operation: "gamble", Intent: intent},
	}
	for _, o := range operations {
		all = append(all,
			payment.Answer{OrderID: id, Operation: o},
			payment.Answer{OrderID: id, Operation: o, Intent: payment.Intent{ID: "pi_" + id, Authorized: -total}},
			payment.Answer{OrderID: id, Operation: o, Intent: payment.Intent{ID: "pi_" + id, Captured: total / 2}},
			payment.Answer{OrderID: id, Operation: o, Intent: payment.Intent{ID: "pi_" + id, Refunded: total}},
		)
	}
	p := n.payment
	if p.Currency != "" {
		all = append(all,
			payment.OrderCancelled{OrderID: id, Amount: total + 1, Currency: "EUR"},
			payment.OrderConfirmed{OrderID: id, Amount: total, Currency: "USD"})
	}
	if p.Placed {
		all = append(all, payment.OrderPlaced{OrderID: id, Amount: total, Currency: "EUR", Method: "tok_other"})
	}
	if p.Claims == 0 {
		intent.Authorized = total
		all = append(all, payment.Answer{OrderID: id, Operation: payment.Authorize, Intent: intent})
	}
	if p.Intent != "" {
		for _, o := range operations {
			all = append(all, payment.Answer{OrderID: id, Operation: o, Intent: payment.Intent{ID: "pi_other"}})
		}
	}
	if p.Fenced {
		intent.Authorized, intent.Captured = total, total
		all = append(all, payment.Answer{OrderID: id, Operation: payment.Capture, Intent: intent})
	}
	return all
}

// TestSearchSees keeps the search honest: it must find fault with gateways that break their promises.
func TestSearchSees(t *testing.T) {
	for name, method := range map[string]string{
		"a fence that lets late calls through": leaky,
		"a refund that was said, not done":     forgetful,
	} {
		t.Run(name, func(t *testing.T) {
			var seen recorder
			done := make(chan struct{})
			go func() {
				defer close(done)
				search(&seen, gateway{method: method}, []letter{placed, reserved, confirmed, cancelled})
			}()
			<-done
			if seen.text == "" {
				t.Fatal("went unnoticed")
			}
			t.Log(seen.text)
		})
	}
}

// recorder notes a failure instead of failing, and ends its goroutine as a test would.
type recorder struct{ text string }

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
