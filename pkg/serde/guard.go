package serde

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/hamba/avro/v2"
)

const maxDepth = 32

// check walks the writer's schema over the whole of body and returns an error that wraps ErrMalformed unless body is
// exactly one value of it: every count and length bounded by what is left, every index in range, no string with NUL or
// invalid UTF-8, nothing behind the value. It allocates nothing for a good body.
func check(writer avro.Schema, body []byte) error {
	g := guard{data: body, items: maxItems}
	if err := g.value(writer, 0); err != nil {
		return err
	}
	if g.at != len(body) {
		return g.fault("%d bytes too many", len(body)-g.at)
	}
	return nil
}

type guard struct {
	data  []byte
	at    int
	items int // that arrays and maps may still have, over all
}

func (g *guard) fault(format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrMalformed, g.at, fmt.Sprintf(format, args...))
}

func (g *guard) value(schema avro.Schema, depth int) error {
	if depth > maxDepth {
		return g.fault("nested more than %d deep", maxDepth)
	}
	switch s := schema.(type) {
	case *avro.RefSchema:
		return g.value(s.Schema(), depth+1)
	case *avro.RecordSchema:
		for _, f := range s.Fields() {
			if err := g.value(f.Type(), depth+1); err != nil {
				return err
			}
		}
		return nil
	case *avro.UnionSchema:
		i, err := g.index(len(s.Types()))
		if err != nil {
			return err
		}
		return g.value(s.Types()[i], depth+1)
	case *avro.EnumSchema:
		_, err := g.index(len(s.Symbols()))
		return err
	case *avro.ArraySchema:
		return g.blocks(func() error { return g.value(s.Items(), depth+1) })
	case *avro.MapSchema:
		return g.blocks(func() error {
			if err := g.text(); err != nil {
				return err
			}
			return g.value(s.Values(), depth+1)
		})
	case *avro.FixedSchema:
		return g.skip(int64(s.Size()))
	}
	return g.primitive(schema.Type())
}

func (g *guard) primitive(t avro.Type) error {
	switch t {
	case avro.Null:
		return nil
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
		_, err := g.long()
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
	return g.fault("type %s is not supported", t)
}

// blocks walks those of an array or map.
func (g *guard) blocks(item func() error) error {
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
		if count < 0 || count > int64(g.items) {
			return g.fault("more than %d items", maxItems)
		}
		g.items -= int(count)
		for range count {
			if err := item(); err != nil {
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

// long reads a zigzag varint of at most ten bytes.
func (g *guard) long() (int64, error) {
	n, size := binary.Varint(g.data[g.at:])
	if size <= 0 {
		return 0, g.fault("no number")
	}
	g.at += size
	return n, nil
}
