package serde

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

// masked stands in for personal data.
const masked = `"***"`

// Viewer shows events to people. It knows no types: it reads each event by the schema that its writer used, and so
// shows types, versions and fields that this program was not built with. It is safe for concurrent use.
type Viewer struct {
	schemas *Codec // without types; it fetches and keeps the writers' schemas
}

// NewViewer returns a Viewer that asks registry for schemas.
func NewViewer(registry *sr.Client) *Viewer {
	return &Viewer{&Codec{
		registry: registry, decoders: make(map[int]*decoder), missing: make(map[int]time.Time),
		flights: make(map[int]*flight),
	}}
}

// View is an event as its writer wrote it.
type View struct {
	// Schema is the id of the writer's schema, Name the full name of its record.
	Schema int
	Name   string
	// JSON is the data as one compact object, its fields in the schema's order. Times are RFC 3339, bytes base64, a
	// number that JSON lacks is a string.
	JSON []byte
}

// View reads a framed value. Fields that the schema marks "pii": true show as "***", unless personal is true. The error
// wraps ErrMalformed, ErrUnknownSchema or ErrUnavailable; the View then has what was found out before.
func (v *Viewer) View(ctx context.Context, value []byte, personal bool) (View, error) {
	id, err := schemaID(value)
	if err != nil {
		return View{}, err
	}
	view := View{Schema: id}
	d, err := v.schemas.decoder(ctx, id)
	switch {
	case err != nil:
		return view, err
	case d.err != nil:
		return view, d.err
	}
	view.Name = d.name
	if err := sound(d.writer); err != nil {
		return view, fmt.Errorf("%w: schema %d: %w", ErrMalformed, id, err)
	}
	body := value[frame:]
	if err := check(d.writer, body); err != nil {
		return view, fmt.Errorf("%s: %w", d.name, err)
	}
	w := jsonWriter{guard: guard{data: body, items: maxItems, values: maxValues}, personal: personal}
	if err := w.show(d.writer); err != nil {
		return view, fmt.Errorf("%s: %w", d.name, err)
	}
	view.JSON = w.out
	return view, nil
}

// jsonWriter walks a body that check has found sound, and writes what it reads.
type jsonWriter struct {
	guard
	out      []byte
	personal bool
}

func (w *jsonWriter) show(schema avro.Schema) error {
	switch s := schema.(type) {
	case *avro.PrimitiveSchema:
		return w.showPrimitive(s)
	case *avro.NullSchema:
		w.out = append(w.out, "null"...)
		return nil
	case *avro.RefSchema:
		return w.show(s.Schema())
	case *avro.RecordSchema:
		return w.showRecord(s)
	case *avro.UnionSchema:
		i, err := w.index(len(s.Types()))
		if err != nil {
			return err
		}
		return w.show(s.Types()[i])
	case *avro.EnumSchema:
		i, err := w.index(len(s.Symbols()))
		if err != nil {
			return err
		}
		return w.quote([]byte(s.Symbols()[i]))
	case *avro.ArraySchema:
		return w.showBlocks(false, s.Items())
	case *avro.MapSchema:
		return w.showBlocks(true, s.Values())
	case *avro.FixedSchema:
		from := w.at
		if err := w.skip(int64(s.Size())); err != nil {
			return err
		}
		return w.quote(base64.StdEncoding.AppendEncode(nil, w.data[from:w.at]))
	}
	return w.fault("type %s is not supported", schema.Type())
}

func (w *jsonWriter) showRecord(s *avro.RecordSchema) error {
	w.out = append(w.out, '{')
	for i, f := range s.Fields() {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.quote([]byte(f.Name())); err != nil {
			return err
		}
		w.out = append(w.out, ':')
		if pii := f.Prop("pii"); pii != nil && pii != false && !w.personal {
			if err := w.value(f.Type()); err != nil {
				return err
			}
			w.out = append(w.out, masked...)
			continue
		}
		if err := w.show(f.Type()); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return nil
}

// showBlocks writes those of an array or, if keyed, of a map.
func (w *jsonWriter) showBlocks(keyed bool, item avro.Schema) error {
	brackets := "[]"
	if keyed {
		brackets = "{}"
	}
	w.out = append(w.out, brackets[0])
	for first := true; ; {
		count, err := w.long()
		if err != nil {
			return err
		}
		if count == 0 {
			break
		}
		if count < 0 {
			if _, err := w.long(); err != nil { // the block's size, which check has held against the block
				return err
			}
			count = -count
		}
		for range count {
			if !first {
				w.out = append(w.out, ',')
			}
			first = false
			if keyed {
				key, err := w.length()
				if err != nil {
					return err
				}
				if err := w.quote(key); err != nil {
					return err
				}
				w.out = append(w.out, ':')
			}
			if err := w.show(item); err != nil {
				return err
			}
		}
	}
	w.out = append(w.out, brackets[1])
	return nil
}

func (w *jsonWriter) showPrimitive(s *avro.PrimitiveSchema) error {
	from := w.at
	switch s.Type() {
	case avro.Boolean:
		if err := w.skip(1); err != nil {
			return err
		}
		w.out = strconv.AppendBool(w.out, w.data[from] == 1)
	case avro.Int, avro.Long:
		n, err := w.long()
		if err != nil {
			return err
		}
		w.number(s, n)
	case avro.Float:
		if err := w.skip(4); err != nil {
			return err
		}
		w.float(float64(math.Float32frombits(uint32(little(w.data[from:w.at])))), 32)
	case avro.Double:
		if err := w.skip(8); err != nil {
			return err
		}
		w.float(math.Float64frombits(little(w.data[from:w.at])), 64)
	case avro.String:
		text, err := w.length()
		if err != nil {
			return err
		}
		return w.quote(text)
	case avro.Bytes:
		data, err := w.length()
		if err != nil {
			return err
		}
		return w.quote(base64.StdEncoding.AppendEncode(nil, data))
	default:
		return w.fault("type %s is not supported", s.Type())
	}
	return nil
}

// number writes a time as such if the years have four digits.
func (w *jsonWriter) number(s *avro.PrimitiveSchema, n int64) {
	var at time.Time
	if s.Logical() != nil {
		switch s.Logical().Type() {
		case avro.TimestampMicros:
			at = time.UnixMicro(n)
		case avro.TimestampMillis:
			at = time.UnixMilli(n)
		}
	}
	if at = at.UTC(); at.IsZero() || at.Year() < 1 || at.Year() > 9999 {
		w.out = strconv.AppendInt(w.out, n, 10)
		return
	}
	w.out = append(w.out, '"')
	w.out = at.AppendFormat(w.out, time.RFC3339Nano)
	w.out = append(w.out, '"')
}

func (w *jsonWriter) float(f float64, bits int) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.out = append(w.out, '"')
		w.out = strconv.AppendFloat(w.out, f, 'g', -1, bits)
		w.out = append(w.out, '"')
		return
	}
	w.out = strconv.AppendFloat(w.out, f, 'g', -1, bits)
}

func (w *jsonWriter) quote(text []byte) (err error) {
	w.out, err = jsontext.AppendQuote(w.out, text)
	return err
}

// little reads a little-endian number of up to eight bytes.
func little(data []byte) (n uint64) {
	for i, b := range data {
		n |= uint64(b) << (8 * i)
	}
	return n
}
