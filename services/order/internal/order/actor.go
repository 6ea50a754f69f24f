package order

// ActorKind is what sort of actor made an event happen.
type ActorKind string

// The kinds of Actor.
const (
	// ActorCustomer asked for it over HTTP; Name is the customer's id.
	ActorCustomer ActorKind = "customer"
	// ActorService said something; Name is the service's.
	ActorService ActorKind = "service"
	// ActorClock let the order's time run out; it has no name.
	ActorClock ActorKind = "clock"
)

// Actor is who made an event happen.
type Actor struct {
	Kind ActorKind
	Name string
}

// Actors returns who made each event of a stream happen. It needs the whole stream from its first event, and nothing
// besides: so it also knows the actors of events that were stored before anybody asked.
func Actors(stream []Event) []Actor {
	actors := make([]Actor, len(stream))
	var customer, last Actor
	for i, e := range stream {
		switch e := e.(type) {
		case Placed:
			customer = Actor{ActorCustomer, e.CustomerID}
			last = customer
		case Answer:
			last = Actor{ActorService, e.By()}
		case Cancelled:
			switch e.Reason {
			case ReasonCustomerRequest:
				last = customer
			case ReasonTimedOut:
				last = Actor{Kind: ActorClock}
			}
		}
		// What settles follows at once from the answer before it, and so has its actor.
		actors[i] = last
	}
	return actors
}
