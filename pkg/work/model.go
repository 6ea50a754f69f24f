package work

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// Model is a service's decisions alone, over a state in memory: no database, no inbox, no transaction. A search over
// the interleavings of a saga folds Models of several services; what they publish to each other goes through the same
// translation as in the running service.
type Model[I Input[S, E], S, E any] struct {
	// Name of the service.
	Name string
	// State is changed by each message. It must survive a round trip through JSON.
	State S
	// Input and Publish are those of the service.
	Input   func(e event.Event, arrived time.Time) (in I, wanted bool, err error)
	Publish func(E) (event.Event, bool)
}

// Handle decides an event and returns what the service publishes. Events of no interest lead to nothing.
func (m *Model[I, S, E]) Handle(e event.Event, at time.Time) ([]event.Event, error) {
	in, wanted, err := m.Input(e, at)
	if err != nil || !wanted {
		return nil, err
	}
	return m.Decide(in, event.Cause{ID: e.ID, Correlation: e.Cause.Correlation})
}

// Decide decides any message and returns what the service publishes.
func (m *Model[I, S, E]) Decide(in I, cause event.Cause) ([]event.Event, error) {
	happened, err := in.Decide(m.State)
	if err != nil {
		return nil, err
	}
	var published []event.Event
	for n, e := range happened {
		if p, public := m.Publish(e); public {
			p.ID, p.Cause, p.Source = event.Derive(m.Name, cause.ID, n), cause, "/quadrille/"+m.Name
			published = append(published, p)
		}
	}
	return published, nil
}

// Snapshot returns the state as JSON, the same for equal states.
func (m *Model[I, S, E]) Snapshot() ([]byte, error) { return json.Marshal(m.State) }

// Restore replaces the state by a Snapshot.
func (m *Model[I, S, E]) Restore(snapshot []byte) error {
	var state S
	if err := json.Unmarshal(snapshot, &state); err != nil {
		return fmt.Errorf("restore the model of %s: %w", m.Name, err)
	}
	m.State = state
	return nil
}
