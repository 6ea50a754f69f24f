package kafka

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// ErrKey faults a record whose key cannot be that of an aggregate, or is not that of the event's data.
var ErrKey = errors.New("bad record key")

const (
	maxKey    = 255 // bytes
	tombstone = "tombstone"
)

// Decoder turns records into messages.
type Decoder[I any] struct {
	Codec *serde.Codec
	// Input maps an event, whose Data is the decoded record or nil for a tombstone, to what it asks of the domain.
	// False: of no interest. An error faults the record.
	Input func(event.Event, time.Time) (in I, wanted bool, err error)
	// Unlogged names the topics whose events change nothing if they come late or again; see work.Message.
	Unlogged map[string]bool
	// Clock stamps the arrival. Defaults to time.Now.
	Clock func() time.Time
	// Group is the consumer group, for the spans of messages.
	Group string
	// Spans default to none.
	Spans *telemetry.Spans
	// Metrics default to none.
	Metrics *Metrics
}

// Decode returns the message of r. Wanted is false for an unknown type and for one of no interest: both are counted.
// Bad bytes do not fail it: they are the message's Fault. An error says that the registry is away.
func (d *Decoder[I]) Decode(ctx context.Context, r *kgo.Record) (m work.Message[I], wanted bool, err error) {
	clock := d.Clock
	if clock == nil {
		clock = time.Now
	}
	m = work.Message[I]{
		Scope: r.Topic, Digest: sha256.Sum256(r.Value), Unlogged: d.Unlogged[r.Topic],
		Record: record(r), At: event.Now(clock),
	}
	e, fault := event.Parse(r.Key, m.Record.Headers)
	e.Topic = r.Topic
	m.ID = e.ID
	if h := d.process(r, &e); h != nil {
		m.Span = h.span
		defer func() {
			if wanted && err == nil {
				h.waited()
			}
		}()
	}
	m.Cause = event.Cause{ID: e.ID, Correlation: e.Cause.Correlation, Trace: e.Cause.Trace}
	if m.ID == "" {
		m.ID = fmt.Sprintf("%d/%d/%x", r.Partition, r.Offset, m.Digest)
	}
	if len(r.Key) <= maxKey && utf8.Valid(r.Key) && bytes.IndexByte(r.Key, 0) < 0 {
		m.Key = string(r.Key)
	} else if fault == nil {
		fault = fmt.Errorf("%w: longer than %d bytes, not UTF-8, or with NUL", ErrKey, maxKey)
	}
	if fault != nil {
		m.Fault = &work.Fault{Class: work.ClassHeaders, Err: fault}
		return m, true, nil
	}

	kind := tombstone
	if r.Value != nil {
		var t serde.Type
		t, e.Data, err = d.Codec.Decode(ctx, r.Topic, r.Value)
		switch {
		case errors.Is(err, serde.ErrUnavailable), err != nil && ctx.Err() != nil:
			return m, false, err
		case errors.Is(err, serde.ErrUnknownSchema):
			m.Fault = &work.Fault{Class: work.ClassUnknownSchema, Passing: true, Err: err}
			return m, true, nil
		case err != nil && !errors.Is(err, serde.ErrUnknownType):
			m.Fault = &work.Fault{Class: work.ClassUndecodable, Err: err}
			return m, true, nil
		case t.Name != e.Type:
			m.Fault = &work.Fault{
				Class: work.ClassHeaders,
				Err:   fmt.Errorf("%w: ce_type says %q, the schema %s", event.ErrHeaders, e.Type, t.Name),
			}
			return m, true, nil
		case err != nil:
			d.skip(ctx, e.Topic, t.Name, false)
			return m, false, nil
		}
		kind = t.Name
		if d.Metrics != nil && len(d.Codec.UnknownFields(r.Value)) > 0 {
			d.Metrics.unknownFields(ctx, e.Topic, t.Name)
		}
	}
	if m.Input, wanted, err = d.Input(e, m.At); err != nil {
		m.Fault = &work.Fault{Class: work.ClassHeaders, Err: err}
		return m, true, nil
	}
	if !wanted {
		d.skip(ctx, e.Topic, kind, true)
	}
	return m, wanted, nil
}

// Again decodes a record that was parked.
func (d *Decoder[I]) Again(ctx context.Context, r *work.Record) (m work.Message[I], wanted bool, err error) {
	headers := make([]kgo.RecordHeader, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = kgo.RecordHeader{Key: h.Key, Value: h.Value}
	}
	return d.Decode(ctx, &kgo.Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: headers,
	})
}

// skip counts by the name that the registry knows: a header may hold anything, and as often as it likes another.
func (d *Decoder[I]) skip(ctx context.Context, topic, name string, known bool) {
	if d.Metrics != nil {
		d.Metrics.skip(ctx, topic, name, known)
	}
}

func record(r *kgo.Record) *work.Record {
	headers := make([]event.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = event.Header{Key: h.Key, Value: h.Value}
	}
	return &work.Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: headers,
	}
}

// CheckKey faults an event whose record key is not the id that its data names.
func CheckKey(e event.Event, id string) error {
	if e.Key != id {
		return fmt.Errorf("%w: the data of %s names another", ErrKey, e.Type)
	}
	return nil
}
