package sqldb

import (
	"errors"
	"fmt"
	"reflect"
	"time"
)

var errNull = errors.New("NULL needs a pointer")

// target is what a field is scanned into.
func (c *column) target(field reflect.Value) any {
	switch c.kind {
	case kindTime:
		return timeScanner{field}
	case kindBytes:
		return bytesScanner{field}
	default:
		return field.Addr().Interface()
	}
}

// timeScanner scans into a time.Time or *time.Time, from a time or, where SQLite does not know that an expression is
// one, from its text.
type timeScanner struct{ field reflect.Value }

// Scan implements [sql.Scanner].
func (s timeScanner) Scan(source any) error {
	var t time.Time
	switch source := source.(type) {
	case nil:
		if s.field.Kind() != reflect.Pointer {
			return errNull
		}
		s.field.SetZero()
		return nil
	case time.Time:
		t = source.UTC()
	case string:
		var err error
		if t, err = time.Parse(timeLayout, source); err != nil {
			return err
		}
	default:
		return fmt.Errorf("converting %T to time.Time is unsupported", source)
	}
	if s.field.Kind() == reflect.Pointer {
		s.field.Set(reflect.ValueOf(&t))
	} else {
		s.field.Set(reflect.ValueOf(t))
	}
	return nil
}

// bytesScanner scans into a []byte or a pointer to one: nil is NULL and nothing else, though SQLite's driver returns
// nil for no bytes too.
type bytesScanner struct{ field reflect.Value }

// Scan implements [sql.Scanner].
func (s bytesScanner) Scan(source any) error {
	if source == nil {
		s.field.SetZero()
		return nil
	}
	from, ok := source.([]byte)
	if !ok {
		return fmt.Errorf("converting %T to bytes is unsupported", source)
	}
	value := s.field
	if value.Kind() == reflect.Pointer {
		value.Set(reflect.New(value.Type().Elem()))
		value = value.Elem()
	}
	// The driver may reuse its memory.
	value.SetBytes(append(make([]byte, 0, len(from)), from...))
	return nil
}
