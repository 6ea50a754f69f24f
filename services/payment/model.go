package payment

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/kafka"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Model is the service's decisions alone, over a state in memory. Tests that search the interleavings of a whole saga
// are made of it.
type Model struct {
	work.Model[payment.Message, *payment.Till, payment.Event]
}

// NewModel returns a Model without payments.
func NewModel() *Model {
	return &Model{work.Model[payment.Message, *payment.Till, payment.Event]{
		Name: Name, State: &payment.Till{}, Input: kafka.Input, Publish: kafka.Publish,
	}}
}

// Call is a request to the gateway.
type Call = payment.Call

// Answer is what the gateway says to a Call.
type Answer = payment.Answer

// Intent is the payment as the gateway sees it.
type Intent = payment.Intent

// Claim returns the call that is due for an order and counts it as claimed, as the store does under the row's lock.
func (m *Model) Claim(orderID string) (Call, bool) {
	p := m.State.Payments[orderID]
	if p == nil {
		return Call{}, false
	}
	call, due := p.Next()
	if due {
		p.Claims++
	}
	return call, due
}

// Answer decides what the gateway answered.
func (m *Model) Answer(a Answer, claim string, at time.Time) ([]event.Event, error) {
	a.At = at
	return m.Decide(a, event.Cause{ID: "call/" + claim})
}

// Settle is an operator's way out of a payment that the gateway refuses for good to undo.
func (m *Model) Settle(orderID string, at time.Time) ([]event.Event, error) {
	return m.Decide(payment.Settle{
		OrderID: orderID, Settlement: payment.Settlement{Operator: "operator", Reason: "by transfer"}, At: at,
	}, event.Cause{ID: "settle/" + orderID})
}

// Stuck says whether only an operator can end an order's payment.
func (m *Model) Stuck(orderID string) bool {
	p := m.State.Payments[orderID]
	return p != nil && p.Stuck()
}

// Money says what became of an order's payment, and whether it is undone after a cancellation.
func (m *Model) Money(orderID string) (authorized, captured, refunded int64, ended bool) {
	p := m.State.Payments[orderID]
	if p == nil {
		return 0, 0, 0, false
	}
	return p.Authorized, p.Captured, p.Refunded, p.Ended != ""
}
