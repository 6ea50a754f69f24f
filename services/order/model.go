package order

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Model is the service's decisions alone, over a state in memory. Tests that search the interleavings of a whole saga
// are made of it.
type Model struct {
	work.Model[order.Message, *order.Book, order.Event]
}

// NewModel returns a Model without orders or products.
func NewModel() *Model {
	return &Model{work.Model[order.Message, *order.Book, order.Event]{
		Name: Name, State: &order.Book{}, Input: kafka.Input, Publish: kafka.Publish,
	}}
}

// Item is a line of an order to be placed.
type Item = order.Item

// Place places an order and returns what is published.
func (m *Model) Place(id string, items []Item, paymentMethod string, at time.Time) ([]event.Event, error) {
	return m.Decide(order.Place{
		OrderID: id, CustomerID: "customer", Email: "customer@example.com", PaymentMethod: paymentMethod,
		Lines: items, At: at, Timeout: time.Minute,
	}, event.Cause{ID: "place/" + id})
}

// Cancel is the customer's wish.
func (m *Model) Cancel(id string, at time.Time) ([]event.Event, error) {
	return m.Decide(order.Cancel{OrderID: id, At: at}, event.Cause{ID: "cancel/" + id})
}

// TimeOut is the order's timer.
func (m *Model) TimeOut(id string, at time.Time) ([]event.Event, error) {
	return m.Decide(order.TimedOut{OrderID: id, At: at}, event.Cause{ID: "timeout/" + id})
}

// End says how an order stands, and whether its saga has ended.
func (m *Model) End(id string) (status, reason string, total int64, completed bool) {
	o := m.State.Orders[id]
	if o == nil {
		return "", "", 0, false
	}
	return string(o.Status), string(o.Reason), o.Total, o.Completed()
}
