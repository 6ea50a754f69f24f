package serde

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

const (
	// maxDecoders bounds what is kept of schemas, each of which has at most maxSchema bytes.
	maxDecoders = 500
	// missingFor is how long an id that the registry does not know is not asked for again: a queue of such events would
	// else ask once for each.
	missingFor = time.Second
)

// flight is a request for a schema that is under way. d and err are set when done is closed.
type flight struct {
	done chan struct{}
	d    *decoder
	err  error
	// left says that the caller on whose behalf the request was made gave up: the answer is nobody else's.
	left bool
}

// decoder returns the decoder for a schema id, which is fetched once, however many ask for it at a time. That there is
// no such id is remembered for a moment only: it may come.
func (c *Codec) decoder(ctx context.Context, id int) (*decoder, error) {
	for {
		c.mu.Lock()
		if d := c.find(id); d != nil {
			c.mu.Unlock()
			return d, nil
		}
		if asked, missing := c.missing[id]; missing && time.Since(asked) < missingFor {
			c.mu.Unlock()
			return nil, unknown(id)
		}
		f := c.flights[id]
		if f == nil {
			f = &flight{done: make(chan struct{})}
			c.flights[id] = f
			c.mu.Unlock()
			c.fly(ctx, id, f)
			return f.d, f.err
		}
		c.mu.Unlock()

		select {
		case <-f.done:
			if !f.left {
				return f.d, f.err
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: schema %d: %w", ErrUnavailable, id, ctx.Err())
		}
	}
}

func (c *Codec) fly(ctx context.Context, id int, f *flight) {
	f.d, f.err = c.fetch(ctx, id)
	f.left = f.err != nil && ctx.Err() != nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.err == nil {
		if len(c.decoders) >= maxDecoders {
			clear(c.decoders) // far more than there are versions: whoever writes so many is no friend
		}
		c.decoders[id] = f.d
	}
	delete(c.missing, id)
	if errors.Is(f.err, ErrUnknownSchema) {
		if len(c.missing) >= maxDecoders {
			clear(c.missing)
		}
		c.missing[id] = time.Now()
	}
	delete(c.flights, id)
	close(f.done)
}

func (c *Codec) fetch(ctx context.Context, id int) (*decoder, error) {
	found, err := c.registry.SchemaByID(ctx, id)
	if isMissing(err) {
		return nil, unknown(id)
	}
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &decoder{err: fmt.Errorf("%w: schema %d has more than %d bytes", ErrMalformed, id, tooLong.Limit)}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: schema %d: %w", ErrUnavailable, id, err)
	}
	return c.newDecoderOf(id, found), nil
}

// newDecoderOf is newDecoder for what a registry has, which may be no Avro.
func (c *Codec) newDecoderOf(id int, found sr.Schema) *decoder {
	if found.Type != sr.TypeAvro {
		return &decoder{err: fmt.Errorf("%w: schema %d is %s, not Avro", ErrMalformed, id, found.Type)}
	}
	return c.newDecoder(id, found.Schema)
}

// find returns what there is for an id, nil if nothing. The caller holds mu.
func (c *Codec) find(id int) *decoder {
	if d := c.known[id]; d != nil {
		return d
	}
	return c.decoders[id]
}

func unknown(id int) error { return fmt.Errorf("%w %d", ErrUnknownSchema, id) }
