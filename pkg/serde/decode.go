package serde

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/hamba/avro/v2"
)

// decoder reads what was written with one schema of the registry.
type decoder struct {
	writer avro.Schema
	// name is that of the writer's record.
	name string
	// to is our type of that name, nil if there is none.
	to *encoder
	// resolved reads the writer's bytes into our type.
	resolved avro.Schema
	// err says why nothing written with the schema can be read; nil if it can.
	err error
}

// Decode reads a framed value from topic. The error wraps ErrMalformed, ErrUnknownSchema, ErrUnknownType or
// ErrUnavailable. With ErrUnknownType the Type has its name only.
func (c *Codec) Decode(ctx context.Context, topic string, value []byte) (Type, any, error) {
	if len(value) < frame || value[0] != magic {
		return Type{}, nil, fmt.Errorf("%w: no schema id", ErrMalformed)
	}
	if len(value) > 2*MaxSize {
		return Type{}, nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrMalformed, len(value), 2*MaxSize)
	}
	d, err := c.decoder(ctx, int(binary.BigEndian.Uint32(value[1:frame])))
	if err != nil {
		return Type{}, nil, err
	}
	if d.err != nil {
		return Type{}, nil, d.err
	}
	if d.to == nil {
		return Type{Name: d.name}, nil, fmt.Errorf("%w: %s", ErrUnknownType, d.name)
	}
	if d.to.Topic != topic {
		return Type{}, nil, fmt.Errorf("%w: %s on %s, where it does not belong", ErrMalformed, d.name, topic)
	}
	body := value[frame:]
	if err := check(d.writer, body); err != nil {
		return Type{}, nil, err
	}
	data := d.to.New()
	if err := c.api.Unmarshal(d.resolved, body, data); err != nil {
		return Type{}, nil, fmt.Errorf("%w: %s: %w", ErrMalformed, d.name, err)
	}
	return d.to.Type, data, nil
}

// decoder returns the decoder for a schema id, which is fetched once, however many ask for it at a time. That there is
// no such id is not remembered: it may come.
func (c *Codec) decoder(ctx context.Context, id int) (*decoder, error) {
	for {
		c.mu.Lock()
		if d := c.decoders[id]; d != nil {
			c.mu.Unlock()
			return d, nil
		}
		fetched, busy := c.fetching[id]
		if !busy {
			fetched = make(chan struct{})
			c.fetching[id] = fetched
		}
		c.mu.Unlock()
		if !busy {
			d, err := c.fetch(ctx, id)
			c.mu.Lock()
			if err == nil {
				if len(c.decoders) >= maxDecoders {
					clear(c.decoders)
				}
				c.decoders[id] = d
			}
			delete(c.fetching, id)
			c.mu.Unlock()
			close(fetched)
			return d, err
		}
		select {
		case <-fetched:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
		}
	}
}

func (c *Codec) fetch(ctx context.Context, id int) (*decoder, error) {
	found, err := c.registry.SchemaByID(ctx, id)
	if missing(err) {
		return nil, fmt.Errorf("%w %d", ErrUnknownSchema, id)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: schema %d: %w", ErrUnavailable, id, err)
	}
	return c.resolve(id, found.Schema), nil
}

// resolve never fails: what cannot be read becomes the decoder's err.
func (c *Codec) resolve(id int, text string) *decoder {
	unusable := func(format string, args ...any) *decoder {
		return &decoder{err: fmt.Errorf("%w: schema %d %s", ErrMalformed, id, fmt.Sprintf(format, args...))}
	}
	if len(text) > MaxSchema {
		return unusable("has %d bytes, at most %d are read", len(text), MaxSchema)
	}
	writer, err := parse(text)
	if err != nil {
		return unusable("cannot be parsed: %v", err)
	}
	named, ok := writer.(avro.NamedSchema)
	if !ok {
		return unusable("is no record")
	}
	d := &decoder{writer: writer, name: named.FullName(), to: c.byName[named.FullName()]}
	if d.to == nil {
		return d
	}
	if d.resolved, err = avro.NewSchemaCompatibility().Resolve(d.to.schema, writer); err != nil {
		return unusable("cannot be read as %s: %v", d.name, err)
	}
	return d
}
