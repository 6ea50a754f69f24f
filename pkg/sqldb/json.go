package sqldb

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// json returns the rows as a JSON array with an array a row. Bytes are in hexadecimal.
func (p *plan) json(rows reflect.Value) (string, error) {
	n := rows.Len()
	b := make([]byte, 0, 2+n*16*len(p.columns))
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		row := rows.Index(i)
		for j := range p.columns {
			if j > 0 {
				b = append(b, ',')
			}
			c := &p.columns[j]
			var err error
			if b, err = c.appendJSON(b, row); err != nil {
				return "", fmt.Errorf("row %d, column %s: %w", i, c.name, err)
			}
		}
		b = append(b, ']')
	}
	return string(append(b, ']')), nil
}

func (c *column) appendJSON(b []byte, row reflect.Value) ([]byte, error) {
	v, ok := c.value(row)
	if !ok {
		return append(b, "null"...), nil
	}
	switch c.kind {
	case kindString:
		s := v.String()
		if err := checkText(s); err != nil {
			return nil, err
		}
		return appendString(b, s), nil
	case kindInt:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case kindBool:
		return strconv.AppendBool(b, v.Bool()), nil
	case kindBytes:
		b = append(b, '"')
		b = hex.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	default:
		t, err := instant(v.Interface().(time.Time))
		if err != nil {
			return nil, err
		}
		b = append(b, '"')
		b = t.AppendFormat(b, timeLayout)
		return append(b, '"'), nil
	}
}

// appendString appends a JSON string. The text is valid UTF-8.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		if c < 0x20 {
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		} else {
			b = append(b, '\\', c)
		}
		start = i + 1
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
