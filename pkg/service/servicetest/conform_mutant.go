package servicetest

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// mutant is an event's data with one field changed to what no publisher means.
type mutant struct {
	data   event.Data
	change string
}

// mutants of data, a pointer to a struct of the contracts, itself among them.
func mutants(data event.Data) ([]mutant, error) {
	plain, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("copy %T: %w", data, err)
	}
	t := reflect.TypeOf(data).Elem()
	fresh := func() (event.Data, error) {
		v := emptyOf(t)
		return v, json.Unmarshal(plain, v)
	}
	all := []mutant{{emptyOf(t), "no field set"}}
	v, err := fresh()
	if err != nil {
		return nil, fmt.Errorf("copy %T: %w", data, err)
	}
	all = append(all, mutant{v, "nothing changed"})
	for n := 0; ; n++ {
		if v, err = fresh(); err != nil {
			return nil, err
		}
		left := n
		change := mutate(reflect.ValueOf(v).Elem(), t.Name(), &left)
		if change == "" {
			return all, nil
		}
		all = append(all, mutant{v, change})
	}
}

func emptyOf(t reflect.Type) event.Data { return reflect.New(t).Interface().(event.Data) }

// mutate makes the nth of all changes to v, counting n down on its way, and says which it was; empty if there is none.
func mutate(v reflect.Value, path string, n *int) string {
	for _, value := range extremes(v) {
		if *n == 0 {
			v.Set(value)
			return fmt.Sprintf("%s at %.40q", path, fmt.Sprint(value))
		}
		*n--
	}
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return ""
		}
		for i := range v.NumField() {
			if change := mutate(v.Field(i), path+"."+v.Type().Field(i).Name, n); change != "" {
				return change
			}
		}
	case reflect.Slice:
		if v.Len() > 0 {
			return mutate(v.Index(0), path+"[0]", n)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			return mutate(v.Elem(), path, n)
		}
	}
	return ""
}

// extremes are values that a field of v's type can hold and should not.
func extremes(v reflect.Value) []reflect.Value {
	var values []any
	switch v.Kind() {
	case reflect.String:
		values = []any{"", "\x00", "\xff", strings.Repeat("x", 70_000)}
	case reflect.Int64:
		values = []any{int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64)}
	case reflect.Bool:
		values = []any{!v.Bool()}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			values = []any{time.Time{}, time.Date(99_999, 1, 1, 0, 0, 0, 0, time.UTC)}
		}
	case reflect.Slice, reflect.Pointer:
		all := []reflect.Value{reflect.Zero(v.Type())}
		if v.Kind() == reflect.Slice && v.Len() > 0 { // its first element twice
			all = append(all, reflect.Append(reflect.AppendSlice(reflect.Zero(v.Type()), v), v.Index(0)))
		}
		return all
	}
	all := make([]reflect.Value, len(values))
	for i, value := range values {
		all[i] = reflect.ValueOf(value).Convert(v.Type())
	}
	return all
}

// exported makes go-cmp compare fields that are not exported too.
func exported(reflect.Type) bool { return true }
