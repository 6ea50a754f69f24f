// Package saga folds the decisions of all services over every interleaving of one order's messages. The messages are
// what the services themselves publish, translated as in the running services; none is written by hand.
package saga

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// now is the one time of all messages: what matters is their order.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// message is something that can happen next: an event that a service has not handled yet, a gateway's answer on its
// way, a customer's or a timer's wish, an operator's settling.
type message struct {
	// To is a service's name.
	To    string
	Kind  string
	Event event.Event
	// Call and Answer are set if Kind is "answer".
	Call   payment.Call
	Answer payment.Answer
	Claim  int
	Order  string
}

// id of what is delivered, the same for a repetition.
func (m message) id() string {
	return fmt.Sprintf("%s/%s/%s/%s/%d", m.To, m.Kind, m.Order, m.Event.ID, m.Claim)
}

// world is the state of the three services, the gateway and all that is on its way.
type world struct {
	order     *order.Model
	inventory *inventory.Model
	payment   *payment.Model
	gateway   gateway

	// pending are not delivered yet, delivered may come once more.
	pending, delivered []message
	// letters are what notification has to read. See lettersOf.
	letters []event.Event
	// claimed counts the calls made; one is outstanding at a time unless its lease ran out.
	claimed     map[string]int
	outstanding map[string]bool
	repeated    bool
}

func newWorld() *world {
	return &world{
		order: order.NewModel(), inventory: inventory.NewModel(), payment: payment.NewModel(),
		gateway: gateway{}, claimed: map[string]int{}, outstanding: map[string]bool{},
	}
}

// consumers says who reads what a service publishes, by the type of the event.
func consumers(e event.Event) []string {
	switch e.Source {
	case "/quadrille/order":
		return []string{inventory.Name, payment.Name}
	case "/quadrille/inventory":
		return []string{order.Name, payment.Name}
	default:
		return []string{order.Name}
	}
}

// publish puts events on their way to each consumer.
func (w *world) publish(events []event.Event) {
	for _, e := range events {
		if e.Source == "/quadrille/order" || e.Source == "/quadrille/payment" {
			w.letters = append(w.letters, e)
		}
		for _, to := range consumers(e) {
			w.pending = append(w.pending, message{To: to, Kind: fmt.Sprintf("%T", e.Data), Event: e, Order: e.Key})
		}
	}
}

// deliver hands a message to its service and puts what follows on its way. Then payment's next call is claimed.
func (w *world) deliver(m message) error {
	var published []event.Event
	var err error
	stuck := w.payment.Stuck(m.Order)
	switch {
	case m.Kind == "answer":
		published, err = w.payment.Answer(m.Answer, fmt.Sprintf("%s/%s/%d", m.Order, m.Call.Operation, m.Claim), now)
		if m.Claim == w.claimed[m.Order] { // an answer that is repeated ends no later claim
			w.outstanding[m.Order] = false
		}
	case m.Kind == "settle":
		if !w.payment.Stuck(m.Order) {
			return nil // a repetition, which an operator is refused
		}
		published, err = w.payment.Settle(m.Order, now)
	case m.Kind == "cancel":
		published, err = w.order.Cancel(m.Order, now)
	case m.Kind == "timeout":
		published, err = w.order.TimeOut(m.Order, now)
	case m.To == order.Name:
		published, err = w.order.Handle(m.Event, now)
	case m.To == inventory.Name:
		published, err = w.inventory.Handle(m.Event, now)
	default:
		published, err = w.payment.Handle(m.Event, now)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", m.id(), err)
	}
	w.publish(published)
	if !stuck && w.payment.Stuck(m.Order) { // an operator sees to it, some time
		w.pending = append(w.pending, message{To: payment.Name, Kind: "settle", Order: m.Order})
	}
	if !w.outstanding[m.Order] {
		if call, due := w.payment.Claim(m.Order); due {
			w.claimed[m.Order]++
			w.outstanding[m.Order] = true
			answer := w.gateway.make(call)
			w.pending = append(w.pending, message{
				To: payment.Name, Kind: "answer", Call: call, Answer: answer, Claim: w.claimed[m.Order], Order: m.Order,
			})
		}
	}
	return nil
}

// snapshot is all that the future depends on.
type snapshot struct {
	Order, Inventory, Payment json.RawMessage
	Gateway                   gateway
	Pending, Delivered        []string
	Claimed                   map[string]int
	Outstanding               map[string]bool
	Repeated                  bool
}

func (w *world) snapshot() (snapshot, error) {
	s := snapshot{Gateway: w.gateway, Claimed: w.claimed, Outstanding: w.outstanding, Repeated: w.repeated}
	var err error
	for _, part := range []struct {
		to   *json.RawMessage
		take func() ([]byte, error)
	}{{&s.Order, w.order.Snapshot}, {&s.Inventory, w.inventory.Snapshot}, {&s.Payment, w.payment.Snapshot}} {
		if *part.to, err = part.take(); err != nil {
			return s, err
		}
	}
	s.Pending, s.Delivered = ids(w.pending), ids(w.delivered)
	return s, nil
}

func ids(messages []message) []string {
	all := make([]string, len(messages))
	for i, m := range messages {
		all[i] = m.id()
	}
	slices.Sort(all)
	return all
}

// clone returns a world that shares nothing with w.
func (w *world) clone() (*world, error) {
	s, err := w.snapshot()
	if err != nil {
		return nil, err
	}
	c := newWorld()
	c.gateway, c.repeated = w.gateway.clone(), w.repeated
	for id, n := range w.claimed {
		c.claimed[id] = n
	}
	for id, out := range w.outstanding {
		c.outstanding[id] = out
	}
	c.pending, c.delivered, c.letters = slices.Clone(w.pending), slices.Clone(w.delivered), slices.Clone(w.letters)
	return c, errors.Join(c.order.Restore(s.Order), c.inventory.Restore(s.Inventory), c.payment.Restore(s.Payment))
}

// key names the state, but for ids and times that depend on the way to it.
func (w *world) key() (string, error) {
	s, err := w.snapshot()
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(s)
	return strings.ReplaceAll(string(data), " ", ""), err
}
