package serde

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// Append appends the framed bytes of data, a pointer to the Go type of one of the Codec's types. The error wraps
// ErrUnknownType, ErrTooLarge or, for data that Decode would refuse, ErrMalformed.
func (c *Codec) Append(dst []byte, data event.Data) ([]byte, error) {
	known, ok := c.byGo[reflect.TypeOf(data)]
	if !ok {
		return nil, fmt.Errorf("%w: %T", ErrUnknownType, data)
	}
	body, err := c.api.Marshal(known.schema, data)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w: %w", known.Name, ErrMalformed, err)
	}
	if len(body)+frame > MaxSize {
		return nil, fmt.Errorf("%w: %s has %d bytes, at most %d fit", ErrTooLarge, known.Name, len(body)+frame, MaxSize)
	}
	// What no reader would accept must not be sent.
	if err := check(known.schema, body); err != nil {
		return nil, fmt.Errorf("encode %s: %w", known.Name, err)
	}
	dst = append(dst, magic)
	dst = binary.BigEndian.AppendUint32(dst, uint32(known.id))
	return append(dst, body...), nil
}
