package serde

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/hamba/avro/v2"
)

// Decode reads a framed value from topic. The error wraps ErrMalformed, ErrUnknownSchema, ErrUnknownType or
// ErrUnavailable. With ErrUnknownType the Type has its name only.
func (c *Codec) Decode(ctx context.Context, topic string, value []byte) (Type, any, error) {
	if len(value) < frame || value[0] != magic {
		return Type{}, nil, fmt.Errorf("%w: no schema id", ErrMalformed)
	}
	if len(value) > MaxSize {
		return Type{}, nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrMalformed, len(value), MaxSize)
	}
	id := binary.BigEndian.Uint32(value[1:frame])
	if id == 0 || id > math.MaxInt32 {
		// No registry gives such an id, and some answer it as if the path did not exist.
		return Type{}, nil, fmt.Errorf("%w: schema id %d", ErrMalformed, id)
	}
	d, err := c.decoder(ctx, int(id))
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
	return d
}

func (d *decoder) decode(body []byte) (any, error) {
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
