package store

import (
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Message is a message of the domain and where it comes from. What creates a payment mostly leads to no event, which
// would carry its cause, so the message itself has to tell.
type Message struct {
	payment.Message
	Origin Origin
}

// Origin names the request that a message goes back to. A payment keeps that of the first message about its order, so
// that its calls and their answers belong to the request that placed the order, long after that message. The span
// within that trace is that of the last message, so that a call stands below what made it due.
type Origin struct {
	// Correlation is the correlation id of that request.
	Correlation string
	// Trace is a W3C traceparent, empty when nothing is traced.
	Trace string
}

// State is what one batch of messages is decided on.
type State struct {
	Till *payment.Till
	// origins are, by order id, those of the first message about each order in the batch, with the last span of its
	// trace.
	origins map[string]Origin
}

// Decide folds the message into the till.
func (m Message) Decide(s *State) ([]payment.Event, error) { return m.Message.Decide(s.Till) }

// follow notes where a message about an order comes from.
func (s *State) follow(id string, o Origin) {
	first, known := s.origins[id]
	switch {
	case !known:
		s.origins[id] = o
	case telemetry.SameTrace(first.Trace, o.Trace):
		s.origins[id] = Origin{Correlation: first.Correlation, Trace: o.Trace}
	}
}
