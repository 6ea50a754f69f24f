package serde

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/hamba/avro/v2"
)

// zigzag returns numbers as Avro writes them.
func zigzag(numbers ...int64) string {
	var out []byte
	for _, n := range numbers {
		out = binary.AppendVarint(out, n)
	}
	return string(out)
}

func recordOf(fieldType string) string {
	return `{"type":"record","name":"R","fields":[{"name":"f","type":` + fieldType + `}]}`
}

func TestTheGuard(t *testing.T) {
	const (
		longs   = `{"type":"array","items":"long"}`
		nulls   = `{"type":"array","items":"null"}`
		texts   = `{"type":"map","values":"string"}`
		union   = `["null","string"]`
		symbols = `{"type":"enum","name":"E","symbols":["a","b"]}`
		fixed   = `{"type":"fixed","name":"F","size":3}`
		micros  = `{"type":"long","logicalType":"timestamp-micros"}`
	)
	tests := []struct {
		name, field, body string
		good              bool
	}{
		{"null", `"null"`, "", true},
		{"something behind null", `"null"`, "\x00", false},
		{"true", `"boolean"`, "\x01", true},
		{"a boolean of 2", `"boolean"`, "\x02", false},
		{"no boolean", `"boolean"`, "", false},
		{"the largest int", `"int"`, zigzag(math.MaxInt32), true},
		{"an int beyond 32 bits", `"int"`, zigzag(math.MaxInt32 + 1), false},
		{"an int longer than it need be", `"int"`, "\x80\x80\x80\x80\x80\x00", false},
		{"the least long", `"long"`, zigzag(math.MinInt64), true},
		{"a long of eleven bytes", `"long"`, strings.Repeat("\x80", 10) + "\x01", false},
		{"a long that does not end", `"long"`, "\x80", false},
		{"the last time", micros, zigzag(maxMicros), true},
		{"a time in the year 10000", micros, zigzag(maxMicros + 1), false},
		{"a time before the year 1", micros, zigzag(minMicros - 1), false},
		{"a float", `"float"`, "1234", true},
		{"half a float", `"float"`, "12", false},
		{"half a double", `"double"`, "1234567", false},
		{"a string", `"string"`, "\x04ab", true},
		{"a string longer than what is left", `"string"`, "\x06ab", false},
		{"a string of negative length", `"string"`, "\x01ab", false},
		{"a string of 2^62 bytes", `"string"`, zigzag(1 << 62), false},
		{"a string with NUL", `"string"`, "\x04a\x00", false},
		{"a string with invalid UTF-8", `"string"`, "\x02\xff", false},
		{"the longest string", `"string"`, zigzag(maxString) + strings.Repeat("a", maxString), true},
		{"a string too long", `"string"`, zigzag(maxString+1) + strings.Repeat("a", maxString+1), false},
		{"bytes with NUL", `"bytes"`, "\x04a\x00", true},
		{"bytes of -1", `"bytes"`, "\x01", false},
		{"fixed", fixed, "abc", true},
		{"fixed cut short", fixed, "ab", false},
		{"the second symbol", symbols, zigzag(1), true},
		{"a symbol that is not there", symbols, zigzag(2), false},
		{"a negative symbol", symbols, zigzag(-1), false},
		{"the string of a union", union, zigzag(1) + "\x02a", true},
		{"a union index of 2^32", union, zigzag(1 << 32), false},
		{"a negative union index", union, zigzag(-1), false},
		{"an empty array", longs, "\x00", true},
		{"an array of two blocks", longs, zigzag(1, 7, 2, 8, 9, 0), true},
		{"an array that does not end", longs, zigzag(1, 7), false},
		{"a block with its size", longs, zigzag(-2, 2, 8, 9, 0), true},
		{"a block shorter than it says", longs, zigzag(-2, 3, 8, 9, 0), false},
		{"a block longer than it says", longs, zigzag(-2, 1, 8, 9, 0), false},
		{"a block that says nothing", longs, zigzag(-2, 0, 8, 9, 0), false},
		{"a block of a negative size", longs, zigzag(-2, -2, 8, 9, 0), false},
		{"a block of the least count", longs, zigzag(math.MinInt64, 2, 8, 9, 0), false},
		{"2^40 items", longs, zigzag(1<<40, 0), false},
		{"as many empty items as may be", nulls, zigzag(maxItems, 0), true},
		{"too many empty items", nulls, zigzag(maxItems+1, 0), false},
		{"too many empty items in two blocks", nulls, zigzag(maxItems, 1, 0), false},
		{"a map", texts, zigzag(1) + "\x02k\x02v\x00", true},
		{"a map whose key is no text", texts, zigzag(1) + "\x02\x00\x02v\x00", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			schema, err := parseSound(recordOf(test.field))
			if err != nil {
				t.Fatal(err)
			}
			err = check(schema, []byte(test.body))
			if test.good && err != nil {
				t.Error(err)
			}
			if !test.good && !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Ten thousand items cost nothing on the wire if the item is a record of nulls; the work is bounded all the same.
func TestTheGuardBoundsWorkThatTakesNoBytes(t *testing.T) {
	var fields []string
	for i := range 1000 {
		fields = append(fields, fmt.Sprintf(`{"name":"n%d","type":"null"}`, i))
	}
	item := `{"type":"record","name":"N","fields":[` + strings.Join(fields, ",") + `]}`
	schema, err := parseSound(recordOf(`{"type":"array","items":` + item + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := check(schema, []byte(zigzag(maxItems, 0))); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

func TestTheGuardAllocatesNothingForAGoodBody(t *testing.T) {
	schema, err := parseSound(recordOf(`{"type":"map","values":["null","string"]}`))
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(zigzag(2) + "\x02a\x00\x02b\x02\x02v\x00")
	if allocs := testing.AllocsPerRun(100, func() { err = check(schema, body) }); allocs != 0 || err != nil {
		t.Errorf("%v allocations, %v", allocs, err)
	}
}

func TestSchemasThatAreNotSound(t *testing.T) {
	laughs := `"long"`
	for i := range 14 { // less deep than is allowed
		laughs = fmt.Sprintf(`{"type":"record","name":"L%d","fields":[{"name":"a","type":%s},{"name":"b","type":%s}]}`,
			i, laughs, map[bool]string{true: `"long"`, false: fmt.Sprintf(`"L%d"`, i-1)}[i == 0])
	}
	tests := map[string]string{
		"an array of itself":  recordOf(`{"type":"array","items":"R"}`),
		"a union with itself": recordOf(`["null","R"]`),
		"a map of itself":     recordOf(`{"type":"map","values":"R"}`),
		"nested without end": recordOf(strings.Repeat(`{"type":"array","items":`, 40) + `"int"` +
			strings.Repeat("}", 40)),
		"types that use each other twice":  laughs,
		"longer than any":                  recordOf(`"long"`) + strings.Repeat(" ", maxSchema),
		"an enum":                          `{"type":"enum","name":"E","symbols":["a"]}`,
		"a name, to which the cache bows":  `"quadrille.order.OrderPlaced"`,
		"a type that another schema names": recordOf(`"Elsewhere"`),
	}
	avro.MustParse(`{"type":"record","name":"Elsewhere","fields":[]}`) // into the library's global cache
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if schema, err := parseSound(text); err == nil {
				t.Errorf("%s was accepted", schema.FullName())
			}
		})
	}
}
