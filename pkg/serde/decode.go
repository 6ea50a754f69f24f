package serde

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/hamba/avro/v2"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// Decode reads a framed value from topic. The error wraps ErrMalformed, ErrUnknownSchema, ErrUnknownType or
// ErrUnavailable. With ErrUnknownType the Type has its name only.
func (c *Codec) Decode(ctx context.Context, topic string, value []byte) (Type, event.Data, error) {
	id, err := schemaID(value)
	if err != nil {
		return Type{}, nil, err
	}
	d, err := c.decoder(ctx, id)
	switch {
	case err != nil:
		return Type{}, nil, err
	case d.err != nil:
		return Type{}, nil, d.err
	case d.to == nil:
		return Type{Name: d.name}, nil, fmt.Errorf("%w: %s", ErrUnknownType, d.name)
	case d.to.Topic != topic:
		return Type{}, nil, fmt.Errorf("%w: %s on %s, where it does not belong", ErrMalformed, d.name, topic)
	}
	data, err := d.decode(value[frame:])
	if err != nil {
		return Type{}, nil, err
	}
	return d.to.Type, data, nil
}

// schemaID reads the framing of value. The error wraps ErrMalformed.
func schemaID(value []byte) (int, error) {
	if len(value) < frame || value[0] != magic {
		return 0, fmt.Errorf("%w: no schema id", ErrMalformed)
	}
	if len(value) > MaxSize {
		return 0, fmt.Errorf("%w: %d bytes, at most %d are read", ErrMalformed, len(value), MaxSize)
	}
	id := binary.BigEndian.Uint32(value[1:frame])
	if id == 0 || id > math.MaxInt32 {
		// No registry gives such an id, and some answer it as if the path did not exist.
		return 0, fmt.Errorf("%w: schema id %d", ErrMalformed, id)
	}
	return int(id), nil
}

// UnknownFields returns the paths of the fields, such as lines.weight, that a framed value was written with and its
// type here lacks: what Decode has left out. It knows the schemas that Decode has met, and nothing of others.
func (c *Codec) UnknownFields(value []byte) []string {
	if len(value) < frame {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.find(int(binary.BigEndian.Uint32(value[1:frame]))); d != nil {
		return d.unknown
	}
	return nil
}

// decoder reads what was written with one schema of the registry.
type decoder struct {
	// err says why nothing written with the schema can be read; nil if it can.
	err error
	// name is that of the writer's record.
	name string
	// to is our type of that name, nil if there is none.
	to *contract
	// writer is the schema itself, resolved the same seen from our type.
	writer, resolved avro.Schema
	// unknown are the paths of the writer's fields that our type lacks.
	unknown []string
	// api has a cache of its own, for it never forgets a schema: this one goes with the decoder.
	api avro.API
}

// newDecoder never fails: what cannot be read becomes the decoder's err.
func (c *Codec) newDecoder(id int, text string) *decoder {
	unusable := func(err error) *decoder {
		return &decoder{err: fmt.Errorf("%w: schema %d: %w", ErrMalformed, id, err)}
	}
	writer, err := parseRecord(text)
	if err != nil {
		return unusable(err)
	}
	d := &decoder{name: writer.FullName(), to: c.byName[writer.FullName()], writer: writer, api: newAPI()}
	if d.to == nil {
		return d
	}
	if err := sound(writer); err != nil {
		return unusable(err)
	}
	if d.resolved, err = avro.NewSchemaCompatibility().Resolve(d.to.schema, writer); err != nil {
		return unusable(fmt.Errorf("cannot be read as %s: %w", d.name, err))
	}
	d.unknown = unknownFields(d.to.schema, writer, "")
	return d
}

// unknownFields of a sound writer's schema, which the reader's is resolved against.
func unknownFields(reader, writer avro.Schema, path string) (unknown []string) {
	reader = counterpart(reader, writer)
	switch w := follow(writer).(type) {
	case *avro.UnionSchema:
		for _, t := range w.Types() {
			unknown = append(unknown, unknownFields(reader, t, path)...)
		}
	case *avro.RecordSchema:
		r, ok := reader.(*avro.RecordSchema)
		if !ok {
			return nil
		}
		for _, f := range w.Fields() {
			at := slices.IndexFunc(r.Fields(), func(ours *avro.Field) bool {
				return ours.Name() == f.Name() || slices.Contains(ours.Aliases(), f.Name())
			})
			if at < 0 {
				unknown = append(unknown, below(path, f))
				continue
			}
			unknown = append(unknown, unknownFields(r.Fields()[at].Type(), f.Type(), below(path, f))...)
		}
	case *avro.ArraySchema:
		if r, ok := reader.(*avro.ArraySchema); ok {
			return unknownFields(r.Items(), w.Items(), path)
		}
	case *avro.MapSchema:
		if r, ok := reader.(*avro.MapSchema); ok {
			return unknownFields(r.Values(), w.Values(), path)
		}
	}
	return unknown
}

// counterpart is what of the reader's schema reads the writer's: of a union, the alternative of its kind.
func counterpart(reader, writer avro.Schema) avro.Schema {
	reader, writer = follow(reader), follow(writer)
	union, ok := reader.(*avro.UnionSchema)
	if !ok || writer.Type() == avro.Union {
		return reader
	}
	for _, t := range union.Types() {
		if t = follow(t); t.Type() == writer.Type() {
			return t
		}
	}
	return reader
}

func (d *decoder) decode(body []byte) (event.Data, error) {
	if err := check(d.writer, body); err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	data := d.to.New()
	if err := d.api.Unmarshal(d.resolved, body, data); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", d.name, ErrMalformed, err)
	}
	return data, nil
}

func newAPI() avro.API {
	return avro.Config{MaxByteSliceSize: maxString, MaxSliceAllocSize: maxItems}.Freeze()
}
