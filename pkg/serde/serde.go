// Package serde turns event data into Avro bytes and back, under a schema registry. It is the only package that knows
// the Avro library, github.com/hamba/avro, which is no longer maintained and trusts its input: nothing reaches it
// before the guard (guard.go) has walked the bytes.
//
// The framing is Confluent's: a zero byte, the schema's id as four bytes big-endian, the Avro body. A subject is named
// "<topic>-<record name>" (TopicRecordName).
package serde

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
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
	// MaxSize of an encoded event, framing included.
	MaxSize = 256 << 10
	// MaxSchema is the largest schema text that is accepted from the registry.
	MaxSchema = 128 << 10

	frame       = 5
	magic       = 0
	maxDecoders = 1000
	maxString   = 64 << 10
	maxItems    = 10_000
	timeout     = 5 * time.Second
)

// Type is the contract of one event type.
type Type struct {
	// Name is the full name of the record, Topic where it is published, Schema the text of its newest version.
	Name, Topic, Schema string
	// New returns a pointer to an empty value of its Go type.
	New func() any
}

// Subject under which the type is registered.
func (t Type) Subject() string { return t.Topic + "-" + t.Name }

// NewClient returns a client of the registry at url, such as http://127.0.0.1:8091. It asks nothing yet.
func NewClient(url string) (*sr.Client, error) {
	client, err := sr.NewClient(sr.URLs(url), sr.HTTPClient(&http.Client{Timeout: timeout}))
	if err != nil {
		return nil, fmt.Errorf("schema registry %s: %w", url, err)
	}
	return client, nil
}

// Codec encodes and decodes the event types that it was given. It is safe for concurrent use.
type Codec struct {
	registry *sr.Client
	api      avro.API
	byGo     map[reflect.Type]*encoder
	byName   map[string]*encoder

	mu       sync.Mutex
	decoders map[int]*decoder
	fetching map[int]chan struct{}
}

// encoder of one of our types.
type encoder struct {
	Type
	id     int
	schema avro.Schema
}

// New returns a Codec for types, whose ids it looks up and never registers. The error wraps ErrNotRegistered or
// ErrUnavailable.
func New(ctx context.Context, registry *sr.Client, types []Type) (*Codec, error) {
	c := &Codec{
		registry: registry,
		api:      avro.Config{MaxByteSliceSize: maxString, MaxSliceAllocSize: maxItems}.Freeze(),
		byGo:     make(map[reflect.Type]*encoder),
		byName:   make(map[string]*encoder),
		decoders: make(map[int]*decoder),
		fetching: make(map[int]chan struct{}),
	}
	for _, t := range types {
		schema, err := parse(t.Schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", t.Name, err)
		}
		if named, ok := schema.(avro.NamedSchema); !ok || named.FullName() != t.Name {
			return nil, fmt.Errorf("schema of %s: is not a record of that name", t.Name)
		}
		found, err := registry.LookupSchema(ctx, t.Subject(), sr.Schema{Schema: t.Schema})
		if missing(err) {
			return nil, fmt.Errorf("%w: subject %s lacks this version; run `quadrille apply`", ErrNotRegistered, t.Subject())
		}
		if err != nil {
			return nil, fmt.Errorf("%w: look up %s: %w", ErrUnavailable, t.Subject(), err)
		}
		e := &encoder{Type: t, id: found.ID, schema: schema}
		c.byGo[reflect.TypeOf(t.New())] = e
		c.byName[t.Name] = e
	}
	return c, nil
}

// parse uses a cache of its own: the library's default is global and would resolve a type of an unrelated schema.
func parse(text string) (avro.Schema, error) {
	return avro.ParseWithCache(text, "", &avro.SchemaCache{})
}

// missing reports whether the registry answered that what was asked for is not there.
func missing(err error) bool {
	response, ok := errors.AsType[*sr.ResponseError](err)
	return ok && response.StatusCode == http.StatusNotFound
}

// TypeOf returns the contract whose Go type data, a pointer, has.
func (c *Codec) TypeOf(data any) (Type, bool) {
	e, ok := c.byGo[reflect.TypeOf(data)]
	if !ok {
		return Type{}, false
	}
	return e.Type, true
}

// Append appends the framed bytes of data, a pointer to the Go type of one of the Codec's types.
func (c *Codec) Append(dst []byte, data any) ([]byte, error) {
	e, ok := c.byGo[reflect.TypeOf(data)]
	if !ok {
		return nil, fmt.Errorf("%w: %T", ErrUnknownType, data)
	}
	body, err := c.api.Marshal(e.schema, data)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.Name, err)
	}
	if len(body)+frame > MaxSize {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d fit", ErrTooLarge, e.Name, len(body)+frame, MaxSize)
	}
	// What we could not read back we must not send.
	if err := check(e.schema, body); err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.Name, err)
	}
	dst = append(dst, magic)
	dst = binary.BigEndian.AppendUint32(dst, uint32(e.id))
	return append(dst, body...), nil
}
