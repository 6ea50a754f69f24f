package serde

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/hamba/avro/v2"
)

const (
	maxString = 64 << 10 // bytes of a string or a bytes
	maxItems  = 10_000   // of all arrays and maps of an event together
	maxValues = 1 << 20  // of an event; only types that take no bytes come near
)

// The times that RFC 3339 can write. Beyond them a time decodes, but can be shown nowhere.
var (
	minMicros = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	maxMicros = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - 1
)

// check walks the writer's schema, which must be sound, over the whole of body. The error wraps ErrMalformed unless
// body is exactly one value of it: every count and length bounded by what is left, every index in range, every number
// in its shortest form, no string with NUL or invalid UTF-8, nothing behind the value. It allocates nothing for a good
// body.
func check(writer avro.Schema, body []byte) error {
	g := guard{data: body, items: maxItems, values: maxValues}
	if err := g.value(writer); err != nil {
		return err
	}
	if g.at != len(body) {
		return g.fault("%d bytes too many", len(body)-g.at)
	}
	return nil
}

type guard struct {
	data          []byte
	at            int
	items, values int // that there may still be
}

func (g *guard) fault(format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrMalformed, g.at, fmt.Sprintf(format, args...))
}

func (g *guard) value(schema avro.Schema) error {
	if g.values--; g.values < 0 {
		return g.fault("more than %d values", maxValues)
	}
	switch s := schema.(type) {
	case *avro.PrimitiveSchema:
		return g.primitive(s)
	case *avro.NullSchema:
		return nil
	case *avro.RefSchema:
		return g.value(s.Schema())
	case *avro.RecordSchema:
		for _, f := range s.Fields() {
			if err := g.value(f.Type()); err != nil {
				return err
			}
		}
		return nil
	case *avro.UnionSchema:
		i, err := g.index(len(s.Types()))
		if err != nil {
			return err
		}
		return g.value(s.Types()[i])
	case *avro.EnumSchema:
		_, err := g.index(len(s.Symbols()))
		return err
	case *avro.ArraySchema:
		return g.blocks(false, s.Items())
	case *avro.MapSchema:
		return g.blocks(true, s.Values())
	case *avro.FixedSchema:
		return g.skip(int64(s.Size()))
	}
	return g.fault("type %s is not supported", schema.Type())
}

func (g *guard) primitive(s *avro.PrimitiveSchema) error {
	switch s.Type() {
	case avro.Boolean:
		if g.at < len(g.data) && g.data[g.at] > 1 {
			return g.fault("no boolean")
		}
		return g.skip(1)
	case avro.Int:
		n, err := g.long()
		if err == nil && n != int64(int32(n)) {
			return g.fault("no int")
		}
		return err
	case avro.Long:
		n, err := g.long()
		if err == nil && (n < minMicros || n > maxMicros) && isMicros(s) {
			return g.fault("a time outside the years 1 to 9999")
		}
		return err
	case avro.Float:
		return g.skip(4)
	case avro.Double:
		return g.skip(8)
	case avro.String:
		return g.text()
	case avro.Bytes:
		_, err := g.length()
		return err
	}
	return g.fault("type %s is not supported", s.Type())
}

func isMicros(s *avro.PrimitiveSchema) bool {
	return s.Logical() != nil && s.Logical().Type() == avro.TimestampMicros
}

// blocks walks those of an array or, if keyed, of a map.
func (g *guard) blocks(keyed bool, item avro.Schema) error {
	for {
		count, err := g.long()
		if err != nil || count == 0 {
			return err
		}
		end := int64(-1)
		if count < 0 {
			// A negative count is followed by the block's size in bytes. A reader that skips the field believes it.
			size, err := g.long()
			if err != nil {
				return err
			}
			if size < 0 || size > int64(len(g.data)-g.at) {
				return g.fault("a block of %d bytes", size)
			}
			count, end = -count, int64(g.at)+size
		}
		if count < 0 || count > int64(g.items) { // the least int64 has no positive counterpart
			return g.fault("more than %d items", maxItems)
		}
		g.items -= int(count)
		for range count {
			if keyed {
				if err := g.text(); err != nil {
					return err
				}
			}
			if err := g.value(item); err != nil {
				return err
			}
		}
		if end >= 0 && int64(g.at) != end {
			return g.fault("a block that is not as long as it says")
		}
	}
}

func (g *guard) text() error {
	text, err := g.length()
	if err != nil {
		return err
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return g.fault("a string with NUL or invalid UTF-8")
	}
	return nil
}

// length reads a length and returns that many bytes.
func (g *guard) length() ([]byte, error) {
	n, err := g.long()
	if err != nil {
		return nil, err
	}
	if n > maxString {
		return nil, g.fault("%d bytes, at most %d are read", n, maxString)
	}
	from := g.at
	if err := g.skip(n); err != nil {
		return nil, err
	}
	return g.data[from:g.at], nil
}

func (g *guard) index(of int) (int, error) {
	n, err := g.long()
	if err == nil && (n < 0 || n >= int64(of)) {
		return 0, g.fault("index %d of %d", n, of)
	}
	return int(n), err
}

func (g *guard) skip(n int64) error {
	if n < 0 || n > int64(len(g.data)-g.at) {
		return g.fault("%d bytes, but only %d are left", n, len(g.data)-g.at)
	}
	g.at += int(n)
	return nil
}

// long reads a zigzag varint in its shortest form: readers differ in how much of a longer one they take.
func (g *guard) long() (int64, error) {
	n, size := binary.Varint(g.data[g.at:])
	if size <= 0 || size > 1 && g.data[g.at+size-1] == 0 {
		return 0, g.fault("no number")
	}
	g.at += size
	return n, nil
}
