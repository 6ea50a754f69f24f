package sqldb

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// timeLayout is how SQLite keeps times: all of one width, always UTC.
const timeLayout = "2006-01-02T15:04:05.000000Z"

var errText = errors.New("text must be valid UTF-8 without NUL")

func checkText(s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return errText
	}
	return nil
}

// instant is a time as the databases keep it.
func instant(t time.Time) (time.Time, error) {
	t = t.UTC().Truncate(time.Microsecond)
	if year := t.Year(); year < 1 || year > 9999 {
		return t, fmt.Errorf("the year of a time must be within 1 and 9999, not %d", year)
	}
	return t, nil
}

// arguments returns the parameters as the driver takes them. It leaves args as they are.
func (tx *Tx) arguments(args []any) ([]any, error) {
	converted := make([]any, len(args), len(args)+8)
	for i, arg := range args {
		value, err := tx.argument(arg)
		if err != nil {
			return nil, fmt.Errorf("parameter $%d: %w", i+1, err)
		}
		converted[i] = value
	}
	return converted, nil
}

func (tx *Tx) argument(arg any) (any, error) {
	switch arg := arg.(type) {
	case nil, int64, int, bool:
		return arg, nil
	case string:
		return arg, checkText(arg)
	}
	v := reflect.ValueOf(arg)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil, nil
		}
		v = v.Elem()
	}
	switch kindOf(v.Type()) {
	case kindString:
		return v.String(), checkText(v.String())
	case kindInt:
		return v.Int(), nil
	case kindBool:
		return v.Bool(), nil
	case kindBytes:
		if v.IsNil() {
			return nil, nil
		}
		return v.Bytes(), nil
	case kindTime:
		t, err := instant(v.Interface().(time.Time))
		if err != nil || tx.dialect == Postgres {
			return t, err
		}
		return t.Format(timeLayout), nil
	default:
		return nil, fmt.Errorf("a parameter cannot be %T", arg)
	}
}
