// Package serde turns event data into Avro bytes and back, under a schema registry. It is the only package that knows
// the Avro library, github.com/hamba/avro, which is no longer maintained and trusts its input: no schema reaches its
// decoder before it was found sound (schema.go), and no bytes before the guard has walked them (guard.go).
//
// The framing is Confluent's: a zero byte, the schema's id as four bytes big-endian, the Avro body. A subject is named
// "<topic>-<record name>" (TopicRecordName).
package serde

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

var (
	// ErrMalformed says that bytes are no event of ours, and never will be.
	ErrMalformed = errors.New("malformed event data")
	// ErrUnknownSchema says that the registry has no schema with the id. It may be known later.
	ErrUnknownSchema = errors.New("unknown schema id")
	// ErrUnknownType says that the schema is that of an event type which this Codec was not given.
	ErrUnknownType = errors.New("unknown event type")
	// ErrUnavailable says that the registry could not be asked.
	ErrUnavailable = errors.New("the schema registry is away")
	// ErrNotRegistered says that a type of ours is not in the registry.
	ErrNotRegistered = errors.New("schema not registered")
	// ErrTooLarge says that an event is larger than MaxSize.
	ErrTooLarge = errors.New("event too large")
)

const (
	// MaxSize of an encoded event, framing included, in bytes.
	MaxSize = 256 << 10

	frame = 5
	magic = 0
)

// Type is the contract of one event type.
type Type struct {
	// Name is the full name of the record, Topic where it is published, Schema the text of its newest version.
	Name, Topic, Schema string
	// Owner is the service that publishes it, Consumers are those that may read it.
	Owner     string
	Consumers []string
	// New returns a pointer to an empty value of its Go type, whose EventType is Name.
	New func() event.Data
}

// Subject under which the type is registered.
func (t Type) Subject() string { return t.Topic + "-" + t.Name }

// Codec encodes and decodes the event types that it was given. It is safe for concurrent use.
type Codec struct {
	registry *sr.Client
	api      avro.API // encodes; each decoder has its own
	byGo     map[reflect.Type]*contract
	byName   map[string]*contract

	unlearnt error

	mu       sync.Mutex
	known    map[int]*decoder  // of our types and of what the registry had at the start, to be kept
	decoders map[int]*decoder  // of what was fetched since
	missing  map[int]time.Time // ids that the registry did not know then
	flights  map[int]*flight
}

// contract is one of our types and what the registry says of it.
type contract struct {
	Type
	id     int
	schema avro.Schema
}

// New returns a Codec for types, whose ids it looks up and never registers. It reads all schemas of their topics, up to
// 500, so that only what is registered later needs the registry once more; see Unlearnt. The error wraps
// ErrNotRegistered or ErrUnavailable, unless a type contradicts itself.
func New(ctx context.Context, registry *sr.Client, types []Type) (*Codec, error) {
	c := &Codec{
		registry: registry,
		api:      newAPI(),
		byGo:     make(map[reflect.Type]*contract),
		byName:   make(map[string]*contract),
		known:    make(map[int]*decoder),
		decoders: make(map[int]*decoder),
		missing:  make(map[int]time.Time),
		flights:  make(map[int]*flight),
	}
	for _, t := range types {
		schema, err := parseSound(t.Schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", t.Name, err)
		}
		if schema.FullName() != t.Name {
			return nil, fmt.Errorf("schema of %s: is that of %s", t.Name, schema.FullName())
		}
		if empty := t.New(); empty.EventType() != t.Name {
			return nil, fmt.Errorf("type of %s: %T is that of %s", t.Name, empty, empty.EventType())
		}
		found, err := registry.LookupSchema(ctx, t.Subject(), sr.Schema{Schema: t.Schema})
		if isMissing(err) {
			return nil, fmt.Errorf("%w: subject %s lacks this version; run `quadrille apply`", ErrNotRegistered,
				t.Subject())
		}
		if err != nil {
			return nil, fmt.Errorf("%w: look up %s: %w", ErrUnavailable, t.Subject(), err)
		}
		known := &contract{Type: t, id: found.ID, schema: schema}
		c.byGo[reflect.TypeOf(t.New())] = known
		c.byName[t.Name] = known
	}
	for _, known := range c.byName {
		c.known[known.id] = c.newDecoder(known.id, known.Schema)
	}
	c.unlearnt = c.learn(ctx, types)
	return c, nil
}

// TypeOf returns the contract whose Go type data, a pointer, has.
func (c *Codec) TypeOf(data event.Data) (Type, bool) {
	known, ok := c.byGo[reflect.TypeOf(data)]
	if !ok {
		return Type{}, false
	}
	return known.Type, true
}

// Unlearnt says why not all schemas of the topics could be read at the start, nil if they were. An event of one that is
// missing asks for it.
func (c *Codec) Unlearnt() error { return c.unlearnt }
