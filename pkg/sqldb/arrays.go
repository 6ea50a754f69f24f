package sqldb

import (
	"fmt"
	"reflect"
	"time"
)

// arrays returns one parameter a column: a slice that pgx sends as a binary array. A column that may hold NULL is a
// slice of pointers.
func (p *plan) arrays(rows reflect.Value) ([]any, error) {
	columns := make([]any, len(p.columns))
	for i := range p.columns {
		c := &p.columns[i]
		var err error
		switch {
		case c.kind == kindString && c.pointer:
			columns[i], err = pointers(rows, c, text)
		case c.kind == kindString:
			columns[i], err = values(rows, c, text)
		case c.kind == kindInt && c.pointer:
			columns[i], err = pointers(rows, c, integer)
		case c.kind == kindInt:
			columns[i], err = values(rows, c, integer)
		case c.kind == kindBool && c.pointer:
			columns[i], err = pointers(rows, c, boolean)
		case c.kind == kindBool:
			columns[i], err = values(rows, c, boolean)
		case c.kind == kindTime && c.pointer:
			columns[i], err = pointers(rows, c, timestamp)
		case c.kind == kindTime:
			columns[i], err = values(rows, c, timestamp)
		default:
			// A nil []byte is NULL to pgx.
			columns[i], err = values(rows, c, bytes)
		}
		if err != nil {
			return nil, err
		}
	}
	return columns, nil
}

func values[T any](rows reflect.Value, c *column, get func(reflect.Value) (T, error)) ([]T, error) {
	all := make([]T, rows.Len())
	for i := range all {
		v, ok := c.value(rows.Index(i))
		if !ok {
			continue
		}
		var err error
		if all[i], err = get(v); err != nil {
			return nil, fmt.Errorf("row %d, column %s: %w", i, c.name, err)
		}
	}
	return all, nil
}

func pointers[T any](rows reflect.Value, c *column, get func(reflect.Value) (T, error)) ([]*T, error) {
	all := make([]*T, rows.Len())
	for i := range all {
		v, ok := c.value(rows.Index(i))
		if !ok {
			continue
		}
		value, err := get(v)
		if err != nil {
			return nil, fmt.Errorf("row %d, column %s: %w", i, c.name, err)
		}
		all[i] = &value
	}
	return all, nil
}

func text(v reflect.Value) (string, error)         { return v.String(), checkText(v.String()) }
func integer(v reflect.Value) (int64, error)       { return v.Int(), nil }
func boolean(v reflect.Value) (bool, error)        { return v.Bool(), nil }
func bytes(v reflect.Value) ([]byte, error)        { return v.Bytes(), nil }
func timestamp(v reflect.Value) (time.Time, error) { return instant(v.Interface().(time.Time)) }
