package serde_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func TestCompatibleNamesTheField(t *testing.T) {
	tests := map[string]struct{ reader, writer, want string }{
		"not written": {shopRecord(`{"name":"email","type":"string"}`), shopRecord(``),
			"field email: not written, and without a default"},
		"written otherwise": {shopRecord(`{"name":"n","type":"long"}`), shopRecord(`{"name":"n","type":"string"}`), "field n: "},
		"no records":        {`"long"`, `"string"`, "incompatible"},
		"no schema":         {`{`, `"string"`, "the reader's schema"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := serde.Compatible(test.reader, test.writer)
			if !errors.Is(err, serde.ErrIncompatible) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
		})
	}
}

func TestCompatibleLooksOneWay(t *testing.T) {
	wide, narrow := shopRecord(`{"name":"n","type":"long"}`), shopRecord(`{"name":"n","type":"int"}`)
	if err := serde.Compatible(wide, narrow); err != nil {
		t.Errorf("a long reads an int: %v", err)
	}
	if err := serde.Compatible(narrow, wide); !errors.Is(err, serde.ErrIncompatible) {
		t.Errorf("an int reads a long: %v", err)
	}
	if err := serde.Compatible(`"string"`, `"string"`); err != nil {
		t.Errorf("a schema need not be a record: %v", err)
	}
	tree := func(of string) string {
		return `{"type":"record","name":"T","fields":[{"name":"v","type":"` + of + `"},
			{"name":"below","type":{"type":"array","items":"T"}}]}`
	}
	if err := serde.Compatible(tree("long"), tree("string")); !errors.Is(err, serde.ErrIncompatible) {
		t.Errorf("recursive schemas: %v", err)
	}
}
