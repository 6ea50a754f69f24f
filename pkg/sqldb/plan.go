package sqldb

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// kind is what a column holds in Go.
type kind int

const (
	kindString kind = iota + 1
	kindInt
	kindBool
	kindBytes
	kindTime
)

// postgres is the type of the column in a relation.
func (k kind) postgres() string {
	return [...]string{kindString: "text", kindInt: "bigint", kindBool: "boolean", kindBytes: "bytea",
		kindTime: "timestamptz"}[k]
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()
)

// kindOf returns zero for a type that no column can hold.
func kindOf(t reflect.Type) kind {
	switch {
	case t == timeType:
		return kindTime
	case t.Kind() == reflect.String:
		return kindString
	case t.Kind() == reflect.Int64, t.Kind() == reflect.Int, t.Kind() == reflect.Int32:
		return kindInt
	case t.Kind() == reflect.Bool:
		return kindBool
	case t.ConvertibleTo(bytesType) && t.Kind() == reflect.Slice:
		return kindBytes
	default:
		return 0
	}
}

// column is a field with a `db` tag, or the only column of a type that is not a struct.
type column struct {
	name  string
	index []int
	kind  kind
	// pointer says that the field points to its value; nil is NULL.
	pointer bool
}

// plan is how values of a type become columns and back.
type plan struct {
	columns []column
	// scalar says that the type is itself the only column.
	scalar bool
	// names is the quoted list of the columns.
	names string
}

// plans caches a plan, or the error of having none, by type. It holds nothing but what follows from the types.
var plans sync.Map // reflect.Type → planned

type planned struct {
	plan *plan
	err  error
}

func planFor(t reflect.Type) (*plan, error) {
	if cached, ok := plans.Load(t); ok {
		return cached.(planned).plan, cached.(planned).err
	}
	p, err := newPlan(t)
	plans.Store(t, planned{p, err})
	return p, err
}

// planOf returns the plan of a slice of structs, and the slice.
func planOf(rows any) (*plan, reflect.Value, error) {
	v := reflect.ValueOf(rows)
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() != reflect.Struct || v.Type().Elem() == timeType {
		return nil, v, fmt.Errorf("rows must be a slice of structs, not %T", rows)
	}
	p, err := planFor(v.Type().Elem())
	return p, v, err
}

func newPlan(t reflect.Type) (*plan, error) {
	if value, pointer := dereference(t); kindOf(value) != 0 {
		return &plan{columns: []column{{kind: kindOf(value), pointer: pointer}}, scalar: true}, nil
	}
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("a column cannot hold %s", t)
	}
	p := &plan{}
	seen := map[string]bool{}
	var quoted []string
	for _, field := range reflect.VisibleFields(t) {
		name, ok := field.Tag.Lookup("db")
		if !ok {
			continue
		}
		value, pointer := dereference(field.Type)
		c := column{name: name, index: field.Index, kind: kindOf(value), pointer: pointer}
		switch {
		case name == "" || strings.ContainsAny(name, "\"\x00"):
			return nil, fmt.Errorf("field %s of %s: the name of a column cannot be %q", field.Name, t, name)
		case seen[name]:
			return nil, fmt.Errorf("field %s of %s: another field is column %q already", field.Name, t, name)
		case !field.IsExported():
			return nil, fmt.Errorf("field %s of %s must be exported to be a column", field.Name, t)
		case c.kind == 0:
			return nil, fmt.Errorf("field %s of %s: a column cannot hold %s", field.Name, t, field.Type)
		}
		seen[name] = true
		quoted = append(quoted, `"`+name+`"`)
		p.columns = append(p.columns, c)
	}
	if len(p.columns) == 0 {
		return nil, fmt.Errorf("%s has no field with a `db` tag", t)
	}
	p.names = strings.Join(quoted, ", ")
	return p, nil
}

func dereference(t reflect.Type) (reflect.Type, bool) {
	if t.Kind() == reflect.Pointer {
		return t.Elem(), true
	}
	return t, false
}

// value returns the column of a row, and false for NULL.
func (c *column) value(row reflect.Value) (reflect.Value, bool) {
	v := row.FieldByIndex(c.index)
	if c.pointer {
		if v.IsNil() {
			return v, false
		}
		v = v.Elem()
	}
	if c.kind == kindBytes && v.IsNil() {
		return v, false
	}
	return v, true
}
