package serde

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hamba/avro/v2"
	second "github.com/twmb/avro"

	"github.com/quadrille-platform/quadrille/pkg/event"
)

// everything is what our reader makes of the versions below.
type everything struct {
	Text     string           `avro:"text"`
	Note     *string          `avro:"note"`
	Kind     string           `avro:"kind"`
	Number   int64            `avro:"number"`
	Yes      bool             `avro:"yes"`
	Ratio    float64          `avro:"ratio"`
	Blob     []byte           `avro:"blob"`
	Checksum [3]byte          `avro:"checksum"`
	Parts    []part           `avro:"parts"`
	Counts   map[string]int64 `avro:"counts"`
	At       time.Time        `avro:"at"`
}

func (*everything) EventType() string { return "Everything" }

type part struct {
	Name  string  `avro:"name"`
	Label *string `avro:"label"`
}

const everythingSchema = `{"type":"record","name":"Everything","fields":[
	{"name":"text","type":"string"},
	{"name":"note","type":["null","string"],"default":null},
	{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["unknown","a","b"],"default":"unknown"},"default":"a"},
	{"name":"number","type":"long","default":3},
	{"name":"yes","type":"boolean","default":true},
	{"name":"ratio","type":"double","default":0.5},
	{"name":"blob","type":"bytes","default":""},
	{"name":"checksum","type":{"type":"fixed","name":"Checksum","size":3},"default":"abc"},
	{"name":"parts","type":{"type":"array","items":{"type":"record","name":"Part","fields":[
		{"name":"name","type":"string"},{"name":"label","type":["null","string"],"default":null}]}},"default":[]},
	{"name":"counts","type":{"type":"map","values":"long"},"default":{}},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"},"default":0}]}`

// versions that our reader must cope with: its own, one that has less and promotes, one that has more and to skip.
var versions = []string{
	everythingSchema,
	`{"type":"record","name":"Everything","fields":[
		{"name":"number","type":"int"},{"name":"ratio","type":"float"},{"name":"text","type":"string"},
		{"name":"parts","type":{"type":"array","items":{"type":"record","name":"Part","fields":[
			{"name":"name","type":"string"}]}}}]}`,
	`{"type":"record","name":"Everything","fields":[
		{"name":"skip1","type":{"type":"array","items":{"type":"map","values":["null","int","string"]}}},
		{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["b","c","unknown","a"],"default":"unknown"}},
		{"name":"skip2","type":{"type":"map","values":{"type":"enum","name":"Other","symbols":["x","y"]}}},
		{"name":"note","type":["string","null"]},
		{"name":"parts","type":{"type":"array","items":{"type":"record","name":"Part","fields":[
			{"name":"skip3","type":["null","bytes",{"type":"array","items":"null"}]},
			{"name":"label","type":["null","string"]},
			{"name":"name","type":"string"},
			{"name":"skip4","type":["int","long","boolean"]}]}}},
		{"name":"skip5","type":["null","Part","Kind","Other"]},
		{"name":"text","type":"string"}]}`,
}

// FuzzDecode holds: what the guard accepts, this library and a second one decode, wholly and to the same value.
func FuzzDecode(f *testing.F) {
	codec := &Codec{byName: map[string]*contract{}}
	schema, err := parseSound(everythingSchema)
	if err != nil {
		f.Fatal(err)
	}
	codec.byName["Everything"] = &contract{schema: schema, Type: Type{New: func() event.Data { return new(everything) }}}
	reader := second.MustParse(everythingSchema)

	var decoders []*decoder
	var others []*second.Schema
	for i, text := range versions {
		d := codec.newDecoder(i, text)
		if d.err != nil {
			f.Fatal(d.err)
		}
		other, err := second.Resolve(second.MustParse(text), reader)
		if err != nil {
			f.Fatal(err)
		}
		decoders, others = append(decoders, d), append(others, other)
	}
	seed(f, decoders)

	f.Fuzz(func(t *testing.T, version uint8, body []byte) {
		defer watch()()
		i := int(version) % len(versions)
		if check(decoders[i].writer, body) != nil {
			return
		}
		ours, err := decoders[i].decode(body)
		if err != nil {
			t.Fatalf("accepted, but not decoded: %v", err)
		}
		theirs := new(everything)
		rest, err := others[i].Decode(body, theirs)
		if err != nil || len(rest) > 0 {
			t.Fatalf("accepted, but the second library says %v with %d bytes left", err, len(rest))
		}
		if diff := cmp.Diff(theirs, ours, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("the two read different values:\n%s", diff)
		}
	})
}

// watch makes a hang a failure of the input that caused it. The returned function ends it.
func watch() func() bool {
	return time.AfterFunc(10*time.Second, func() { panic("hangs") }).Stop
}

func seed(f *testing.F, decoders []*decoder) {
	f.Helper()
	note := "n"
	good, err := newAPI().Marshal(decoders[0].writer, &everything{
		Text: "text", Note: &note, Kind: "b", Number: -7, Yes: true, Ratio: 1.5, Blob: []byte{0, 255}, Checksum: [3]byte{1},
		Parts: []part{{Name: "a"}, {Name: "b", Label: &note}}, Counts: map[string]int64{"k": 1}, At: time.Unix(1, 0),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), good)
	f.Add(uint8(0), append(good, 0))
	f.Add(uint8(0), good[:len(good)/2])
	f.Add(uint8(1), []byte(zigzag(5)+"\x00\x00\x80\x3f"+"\x02t"+zigzag(1)+"\x02p"+"\x00"))
	f.Add(uint8(2), []byte(zigzag(1, 1)+"\x02k\x02\x04\x00\x00"+zigzag(1)+"\x00"+"\x00\x02n"+
		zigzag(1, 0, 0)+"\x02p"+zigzag(0, 9, 0)+"\x00"+"\x02t"))

	// What is known to hang the library, to run it out of memory or to be read as something else.
	f.Add(uint8(2), []byte(zigzag(1<<62)))                                      // skips items without end
	f.Add(uint8(2), []byte(zigzag(-1<<62, 0)))                                  // the same, as a block
	f.Add(uint8(0), []byte("\x02t"+zigzag(1<<32)))                              // a union index that is cut to 32 bits
	f.Add(uint8(0), []byte(zigzag(1<<40)))                                      // allocates a string
	f.Add(uint8(1), []byte(zigzag(0)+"\x00\x00\x00\x00"+"\x00"+zigzag(1<<31)))  // allocates a slice
	f.Add(uint8(2), []byte("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")) // a number longer than any
	f.Add(uint8(0), []byte(strings.Repeat("\xff", 10)))
}

// FuzzSchema holds: no schema of the registry makes us panic, hang, or decode what the guard refused.
func FuzzSchema(f *testing.F) {
	codec := &Codec{byName: map[string]*contract{}}
	schema, err := parseSound(everythingSchema)
	if err != nil {
		f.Fatal(err)
	}
	codec.byName["Everything"] = &contract{schema: schema, Type: Type{New: func() event.Data { return new(everything) }}}
	for _, text := range versions {
		f.Add(text, []byte("\x00\x00\x00"))
	}
	f.Add(`{"type":"record","name":"Everything","fields":[{"name":"text","type":"string"},
		{"name":"below","type":{"type":"array","items":"Everything"}}]}`, []byte{0, 0})
	f.Add(`{"type":"record","name":"Everything","fields":[{"name":"text","type":["string",["null"]]}]}`, []byte{0, 0})
	f.Add(`{"type":"record","name":"Everything","fields":[
		{"name":"text","type":"bytes","aliases":["x"],"order":1}]}`, []byte{0})

	f.Fuzz(func(t *testing.T, text string, body []byte) {
		defer watch()()
		d := codec.newDecoder(1, text)
		if d.err != nil || d.to == nil {
			return
		}
		data, err := d.decode(body)
		if err == nil && check(d.writer, body) != nil {
			t.Errorf("decoded %v, which the guard refuses", data)
		}
		_ = avro.NewSchemaCompatibility().Compatible(d.writer, d.to.schema)
	})
}

// FuzzView holds: what the guard accepts is shown as JSON, with and without personal data, and nothing else is.
func FuzzView(f *testing.F) {
	codec := &Codec{}
	var decoders []*decoder
	schemas := &Codec{decoders: make(map[int]*decoder)}
	for i, text := range append(versions, strings.ReplaceAll(everythingSchema, `"name":"n`, `"pii":true,"name":"n`)) {
		d := codec.newDecoder(i, text)
		if d.err != nil {
			f.Fatal(d.err)
		}
		decoders = append(decoders, d)
		schemas.decoders[i+1] = d
	}
	seed(f, decoders)
	viewer := &Viewer{schemas}

	f.Fuzz(func(t *testing.T, version uint8, body []byte) {
		defer watch()()
		i := int(version) % len(decoders)
		accepted := check(decoders[i].writer, body) == nil && len(body)+frame <= MaxSize
		for _, personal := range []bool{false, true} {
			view, err := viewer.View(t.Context(), append([]byte{0, 0, 0, 0, byte(i + 1)}, body...), personal)
			if (err == nil) != accepted {
				t.Fatalf("accepted: %t, shown: %v", accepted, err)
			}
			if err == nil && !json.Valid(view.JSON) {
				t.Fatalf("no JSON: %s", view.JSON)
			}
		}
	})
}
