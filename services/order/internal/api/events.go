package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// Event of an order's history.
type Event struct {
	ID            string         `json:"id" format:"uuid"`
	Version       int64          `json:"version"`
	Type          string         `json:"type"`
	At            time.Time      `json:"at"`
	Actor         Actor          `json:"actor" doc:"Who made it happen"`
	Published     bool           `json:"published" doc:"False for what other services answered, recorded in this stream only"`
	CorrelationID string         `json:"correlation_id" doc:"The same for all that the placing request led to"`
	CausationID   string         `json:"causation_id" doc:"The id of the event, command or timer that led to this one"`
	Data          map[string]any `json:"data"`
}

// Actor is who made an event happen.
type Actor struct {
	Kind order.ActorKind `json:"kind" enum:"customer,service,clock"`
	Name string          `json:"name,omitempty" doc:"The customer's id or the service's name; a clock has none"`
}

type eventList struct{ Body httpapi.List[Event] }

func (a *API) events(ctx context.Context, in *OrderID) (*eventList, error) {
	recorded, err := store.Events(ctx, a.parts.DB, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	items := make([]Event, len(recorded))
	for i, r := range recorded {
		if items[i], err = eventOf(r); err != nil {
			return nil, err
		}
	}
	return &eventList{httpapi.List[Event]{Items: items}}, nil
}

// eventOf leaves out what the other fields say already, and personal data that only the other services need.
func eventOf(r store.Recorded) (Event, error) {
	encoded, err := order.Encode(r.Event)
	if err != nil {
		return Event{}, err
	}
	var data map[string]any
	if err := json.Unmarshal(encoded, &data); err != nil {
		return Event{}, fmt.Errorf("event %s: %w", r.ID, err)
	}
	for _, field := range []string{"order_id", "version", "at", "email", "payment_method"} {
		delete(data, field)
	}
	_, private := r.Event.(order.Answer)
	head := r.Event.Header()
	return Event{
		ID: r.ID, Version: head.Version, Type: r.Event.Type(), At: head.At, Actor: Actor(r.Actor), Published: !private,
		CorrelationID: r.CorrelationID, CausationID: r.CausationID, Data: data,
	}, nil
}
