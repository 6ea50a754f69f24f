package servicetest

import (
	"crypto/sha256"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Event is the message of a consumed event, as the consumer's decoder makes it.
func (d *Driver[I]) Event(topic, key string, data event.Data) work.Message[I] {
	d.b.Helper()
	cause := event.Cause{ID: event.NewID(), Correlation: event.Derive("bench", key, 0)}
	at := event.Now(time.Now)
	in, wanted, err := d.input(event.Event{
		ID: cause.ID, Topic: topic, Key: key, Sequence: 1, Time: at, Cause: cause, Data: data,
	}, at)
	if err != nil || !wanted {
		d.b.Fatalf("%T: wanted %t, error %v", data, wanted, err)
	}
	return work.Message[I]{
		Scope: topic, ID: cause.ID, Key: key, Digest: sha256.Sum256([]byte(cause.ID)), Cause: cause,
		Record: &work.Record{Topic: topic, Key: []byte(key)}, Input: in, At: at,
	}
}

// Message is any other message: a command, or the answer of an outside call.
func (d *Driver[I]) Message(scope, id, key string, in I) work.Message[I] {
	cause := event.Cause{ID: event.NewID(), Correlation: event.Derive("bench", key, 0)}
	if id == "" {
		id = cause.ID
	}
	return work.Message[I]{
		Scope: scope, ID: id, Key: key, Digest: sha256.Sum256([]byte(id)), Cause: cause, Input: in,
		At: event.Now(time.Now),
	}
}
