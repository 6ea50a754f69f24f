package serde_test

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func TestAViewerShowsATypeThatNobodyToldItOf(t *testing.T) {
	const writer = `{"type":"record","name":"Parcel","namespace":"shop","fields":[
		{"name":"number","type":"long"},
		{"name":"weight","type":"double"},
		{"name":"yes","type":"boolean"},
		{"name":"note","type":["null","string"],"default":null},
		{"name":"other","type":["null","string"],"default":null},
		{"name":"state","type":{"type":"enum","name":"State","symbols":["open","sent"]}},
		{"name":"seal","type":{"type":"fixed","name":"Seal","size":2}},
		{"name":"blob","type":"bytes"},
		{"name":"tags","type":{"type":"map","values":{"type":"array","items":"int"}}},
		{"name":"to","type":{"type":"record","name":"Address","fields":[
			{"name":"city","type":"string"},{"name":"name","type":"string","pii":true}]}},
		{"name":"from","type":"Address","pii":true},
		{"name":"sent","type":{"type":"long","logicalType":"timestamp-micros"}},
		{"name":"seen","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"ratio","type":"float"}]}`
	value := map[string]any{
		"number": int64(-7), "weight": 1.5, "yes": true, "note": "say \"hi\"\n<b>", "other": nil, "state": "sent",
		"seal": [2]byte{1, 255}, "blob": []byte{0, 1}, "tags": map[string]any{"a": []int{1, 2}},
		"to": map[string]any{"city": "Köln", "name": "Ada"}, "from": map[string]any{"city": "Bonn", "name": "Bob"},
		"sent": time.Date(2026, 3, 1, 12, 30, 0, 123_456_000, time.UTC),
		"seen": time.Date(2026, 3, 1, 12, 30, 1, 0, time.UTC), "ratio": float32(math.Inf(1)),
	}
	const shown = `{"number":-7,"weight":1.5,"yes":true,"note":"say \"hi\"\n<b>","other":null,"state":"sent","seal":"Af8=",` +
		`"blob":"AAE=","tags":{"a":[1,2]},"to":{"city":"Köln","name":"NAME"},"from":FROM,` +
		`"sent":"2026-03-01T12:30:00.123456Z","seen":"2026-03-01T12:30:01Z","ratio":"+Inf"}`

	registry, client := start(t)
	registry.SeedSchema("shop.events-shop.Parcel", 1, 50, sr.Schema{Schema: writer})
	body, err := avro.Marshal(avro.MustParse(writer), value)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		personal bool
		replace  []string
	}{
		"masked":   {false, []string{"NAME", "***", "FROM", `"***"`}},
		"personal": {true, []string{"NAME", "Ada", "FROM", `{"city":"Bonn","name":"Bob"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			view, err := serde.NewViewer(client).View(t.Context(), framed(50, body...), test.personal)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer(test.replace...).Replace(shown)
			if string(view.JSON) != want || view.Name != "shop.Parcel" || view.Schema != 50 {
				t.Errorf("%s of schema %d is\n%s, want\n%s", view.Name, view.Schema, view.JSON, want)
			}
		})
	}
}

func TestAViewerShowsWhatACodecWrote(t *testing.T) {
	_, client := start(t)
	codec := open(t, client, purchaseType)
	view, err := serde.NewViewer(client).View(t.Context(), encode(t, codec, sample()), false)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"0192f0c1-1111-7000-8000-000000000001","reason":"gift","detail":"für mich","total":129900,` +
		`"by_hand":true,"lines":[{"sku":"mug-blue","quantity":2},{"sku":"tea-green","quantity":1},` +
		`{"sku":"spoon","quantity":12}],"at":"2026-03-01T12:30:00.123456Z"}`
	if string(view.JSON) != want {
		t.Errorf("shows\n%s, want\n%s", view.JSON, want)
	}
}

func TestAViewerSaysWhyItShowsNothing(t *testing.T) {
	registry, client := start(t)
	registry.SeedSchema("text", 1, 50, sr.Schema{Schema: `{"type":"record","name":"Text","fields":[
		{"name":"text","type":"string"}]}`})
	registry.SeedSchema("endless", 1, 51, sr.Schema{Schema: `{"type":"record","name":"Endless","fields":[
		{"name":"next","type":["null","Endless"]}]}`})
	viewer := serde.NewViewer(client)
	for name, test := range map[string]struct {
		value []byte
		want  error
		name  string
	}{
		"no framing":         {[]byte("hello"), serde.ErrMalformed, ""},
		"unknown id":         {framed(52), serde.ErrUnknownSchema, ""},
		"cut off":            {framed(50, 2), serde.ErrMalformed, "Text"},
		"too much":           {framed(50, 2, 'a', 0), serde.ErrMalformed, "Text"},
		"a recursive schema": {framed(51, 0), serde.ErrMalformed, "Endless"},
	} {
		t.Run(name, func(t *testing.T) {
			view, err := viewer.View(t.Context(), test.value, true)
			if !errors.Is(err, test.want) || view.JSON != nil || view.Name != test.name {
				t.Errorf("%+v, %v", view, err)
			}
			if len(test.value) > 5 && view.Schema != int(binary.BigEndian.Uint32(test.value[1:])) {
				t.Errorf("schema %d", view.Schema)
			}
		})
	}
	registry.Close()
	if _, err := viewer.View(t.Context(), framed(53), true); !errors.Is(err, serde.ErrUnavailable) {
		t.Errorf("without a registry: %v", err)
	}
}
