package servicetest

import (
	"context"
	"crypto/sha256"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Story is what a service goes through in Conform. A dozen messages do, if they tell of every event type that the
// service consumes and lead to every one that it publishes.
type Story[I any] struct {
	// Tell tells what happens, in order. It is called once for each database.
	Tell func(t *Teller[I])
	// Posts are an example for each POST of the HTTP API, to be sent when the story is over.
	Posts []Post
}

// Post is a request that the service does, and another body that it would do as well.
type Post struct{ Path, Body, Other string }

// storyTime is when every story begins.
var storyTime = time.Date(2026, 3, 2, 9, 41, 7, 123_456_000, time.UTC)

// Teller takes a story down. Its time moves on by a second a message.
type Teller[I any] struct {
	tb       testing.TB
	codec    *serde.Codec
	decoder  *kafka.Decoder[I]
	sequence map[string]int64
	steps    []step[I]
}

// step is a message, or what is done to the database between two.
type step[I any] struct {
	message work.Message[I]
	// told is what was consumed, nil of any other message.
	told  *event.Event
	aside func(context.Context, *sqldb.DB) error
}

// Now is the time at which the next message arrives.
func (t *Teller[I]) Now() time.Time { return storyTime.Add(time.Duration(len(t.steps)) * time.Second) }

// Event tells of a consumed event, data, under key. It takes the way of a record: encoded, then decoded by the rules of
// the consumer.
func (t *Teller[I]) Event(key string, data event.Data) {
	t.tb.Helper()
	e := event.Event{
		ID: event.Derive("story", strconv.Itoa(len(t.steps)), 0), Source: "/quadrille/story", Key: key, Time: t.Now(),
		Cause: event.Cause{ID: event.Derive("story", "cause", 0), Correlation: event.Derive("story", key, 0)},
		Data:  data,
	}
	of, known := t.codec.TypeOf(data)
	if !known {
		t.tb.Fatalf("%T is no event type that the service consumes", data)
	}
	e.Type, e.Topic = of.Name, of.Topic
	t.sequence[e.Topic+key]++
	e.Sequence = t.sequence[e.Topic+key]
	record, err := recordOf(t.codec, e)
	if err != nil {
		t.tb.Fatalf("%T: %v", data, err)
	}
	t.decoder.Clock = t.Now
	message, wanted, err := t.decoder.Decode(t.tb.Context(), record)
	if err != nil || !wanted || message.Fault != nil {
		t.tb.Fatalf("%T: wanted %t, fault %v, error %v", data, wanted, message.Fault, err)
	}
	t.steps = append(t.steps, step[I]{message: message, told: &e})
}

// Tell tells of any other message: a command, a due timer or the answer of an outside call.
func (t *Teller[I]) Tell(scope, key string, in I) {
	id := event.Derive("story", strconv.Itoa(len(t.steps)), 0)
	t.steps = append(t.steps, step[I]{message: work.Message[I]{
		Scope: scope, ID: id, Key: key, Digest: sha256.Sum256([]byte(id)), Input: in, At: t.Now(),
		Cause: event.Cause{ID: id, Correlation: event.Derive("story", key, 0)},
	}})
}

// Aside does something to the database between two messages that is no message, such as claiming a call.
func (t *Teller[I]) Aside(do func(context.Context, *sqldb.DB) error) {
	t.steps = append(t.steps, step[I]{aside: do})
}

// recordOf encodes an event as its publisher would.
func recordOf(codec *serde.Codec, e event.Event) (*kgo.Record, error) {
	record := &kgo.Record{Topic: e.Topic, Key: []byte(e.Key)}
	for _, h := range event.Headers(e) {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if e.Data == nil || reflect.ValueOf(e.Data).IsNil() {
		return record, nil
	}
	var err error
	record.Value, err = codec.Append(nil, e.Data)
	return record, err
}
