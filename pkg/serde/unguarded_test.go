package serde

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// The guard matters: each of these bodies is decoded without an error by the library alone, under the very limits that
// we give it. Should a case fail because the library has learnt to refuse, drop it.
func TestTheLibraryAloneTakesWhatTheGuardRefuses(t *testing.T) {
	const (
		text   = `{"name":"text","type":"string"}`
		amount = `{"name":"number","type":"long"}`
		note   = `{"name":"note","type":["null","string"]}`
		skip   = `{"name":"skip","type":{"type":"array","items":"long"}},`
	)
	tests := []struct{ name, fields, body string }{
		{"nothing at all", text, ""},
		{"cut off before an amount, which becomes 0", text + "," + amount, "\x02t"},
		{"cut off before an index", text + "," + note, "\x02t"},
		{"more than the value", text, "\x02t\x02u"},
		{"a union index that is cut to 32 bits", text + "," + note, "\x02t" + zigzag(1<<32)},
		{"a string with NUL", text, "\x02\x00"},
		{"a string with invalid UTF-8", text, "\x02\xff"},
		{"a skipped block that says it is shorter", skip + text, zigzag(-2, 0, 8, 9, 0) + "\x02t"},
		{"a skipped block of a negative size", skip + text, zigzag(-2, -2, 8, 9, 0) + "\x02t"},
		{"a skipped block of the least size", skip + text, zigzag(-2, math.MinInt64, 8, 9, 0) + "\x02t"},
		{"a skipped block of the least count", skip + text, zigzag(math.MinInt64, 2, 8, 9, 0) + "\x02t"},
		{"a skipped block of the least count and no bytes", skip + text, zigzag(math.MinInt64, 0, 0) + "\x02t"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := decoderOf(t, `{"type":"record","name":"Everything","fields":[`+test.fields+`]}`)
			if err := d.api.Unmarshal(d.resolved, []byte(test.body), new(everything)); err != nil {
				t.Errorf("the library alone: %v", err)
			}
			if data, err := d.decode([]byte(test.body)); !errors.Is(err, ErrMalformed) || data != nil {
				t.Errorf("decoded as %v, %v", data, err)
			}
		})
	}
}

// Without the guard these hang the process, run it out of memory, or allocate gigabytes for a handful of bytes. They
// are never given to the library alone.
func TestAFewBytesCannotKeepUsBusy(t *testing.T) {
	const (
		writer = `{"type":"record","name":"Everything","fields":[
			{"name":"%s","type":%s},{"name":"text","type":"string"}]}`
		parts = `{"type":"array","items":{"type":"record","name":"Part","fields":[{"name":"name","type":"string"}]}}`
	)
	tests := []struct{ name, field, kind, body string }{
		{"items to skip without end", "skip", `{"type":"array","items":"null"}`, zigzag(1 << 62)},
		{"a block to skip that leads back to its start", "skip", `{"type":"array","items":"long"}`, zigzag(-1, -2)},
		{"a block to skip back over itself", "skip", `{"type":"map","values":"long"}`, zigzag(-1, math.MinInt64)},
		{"a string of 2^40 bytes", "skip", `"string"`, zigzag(1 << 40)},
		{"bytes of 2^31", "blob", `"bytes"`, zigzag(1 << 31)},
		{"a slice of 2^31 parts", "parts", parts, zigzag(1 << 31)},
		{"a slice of the least count", "parts", parts, zigzag(math.MinInt64, 1)},
		{"a map of 2^31 counts", "counts", `{"type":"map","values":"long"}`, zigzag(1 << 31)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := decoderOf(t, fmt.Sprintf(writer, test.field, test.kind))
			hung := time.AfterFunc(10*time.Second, func() { panic("hangs") })
			defer hung.Stop()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := d.decode([]byte(test.body))
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrMalformed) || after.TotalAlloc-before.TotalAlloc > 1<<20 {
				t.Errorf("%v after %d bytes", err, after.TotalAlloc-before.TotalAlloc)
			}
		})
	}
}

func decoderOf(t testing.TB, writer string) *decoder {
	t.Helper()
	schema, err := parseSound(everythingSchema)
	if err != nil {
		t.Fatal(err)
	}
	known := &contract{schema: schema, Type: Type{New: func() event.Data { return new(everything) }}}
	d := (&Codec{byName: map[string]*contract{"Everything": known}}).newDecoder(1, writer)
	if d.err != nil {
		t.Fatal(d.err)
	}
	return d
}

// The price of the guard, to be held against that of the decoding behind it.
func BenchmarkGuard(b *testing.B) {
	d := decoderOf(b, everythingSchema)
	body, err := newAPI().Marshal(d.writer, &everything{
		Text: "0192f0c1-1111-7000-8000-000000000001", Note: new("a note"), Kind: "b", Number: 129_900, At: time.Unix(1, 0),
		Parts: []part{{Name: "mug-blue"}, {Name: "tea-green"}}, Counts: map[string]int64{"spoon": 12},
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"check", func() error { return check(d.writer, body) }},
		{"library", func() error { return d.api.Unmarshal(d.resolved, body, new(everything)) }},
		{"both", func() error { _, err := d.decode(body); return err }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := step.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
