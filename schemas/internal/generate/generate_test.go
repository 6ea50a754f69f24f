package main

import (
	"bytes"
	"os"
	"testing"
	"testing/fstest"
)

func TestTheGeneratedFileIsUpToDate(t *testing.T) {
	want, err := Generate(os.DirFS("../../avro"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../events_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("events_gen.go differs from what the schemas say; run `make generate`")
	}
}

func TestSchemasThatCannotBeGeneratedAreNamed(t *testing.T) {
	tests := map[string]string{
		"a record under another file's name": `{"type":"record","name":"Other","namespace":"q.a","fields":[]}`,
		"a type without a Go type":           `{"type":"record","name":"Thing","namespace":"q.a","fields":[{"name":"a","type":"float"}]}`,
		"a record without a namespace":       `{"type":"record","name":"Thing","fields":[]}`,
		"no JSON":                            `{`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{"a.events/Thing.avsc": {Data: []byte(text)}}
			if source, err := Generate(files); err == nil {
				t.Errorf("generated %s", source)
			}
		})
	}
}

func TestTwoTypesOfOneNameMustBeTheSame(t *testing.T) {
	event := func(name, field string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"type":"record","name":"` + name + `","namespace":"q.a","fields":[{"name":"x","type":
			{"type":"record","name":"Part","fields":[{"name":"` + field + `","type":"string"}]}}]}`)}
	}
	if _, err := Generate(fstest.MapFS{"a.events/A.avsc": event("A", "p"), "a.events/B.avsc": event("B", "p")}); err != nil {
		t.Error(err)
	}
	if _, err := Generate(fstest.MapFS{"a.events/A.avsc": event("A", "p"), "a.events/B.avsc": event("B", "q")}); err == nil {
		t.Error("two different types of one name were generated")
	}
}
