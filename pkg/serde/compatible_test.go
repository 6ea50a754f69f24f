package serde_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

func shopRecord(fields string) string {
	return `{"type":"record","name":"Purchase","namespace":"shop","fields":[` + fields + `]}`
}

func TestCheckAllowsWhatBothReleasesRead(t *testing.T) {
	id := `{"name":"id","type":"string"}`
	tests := map[string][2]string{
		"the same": {shopRecord(id), shopRecord(id)},
		"a field with a default is added": {
			shopRecord(id), shopRecord(id + `,{"name":"note","type":["null","string"],"default":null}`)},
		"a field with a default is removed": {
			shopRecord(id + `,{"name":"note","type":"string","default":""}`), shopRecord(id)},
		"a symbol is added": {
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["unknown"],"default":"unknown"}}`),
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["unknown","b"],"default":"unknown"}}`)},
		"a doc is written": {
			shopRecord(id), shopRecord(`{"name":"id","type":"string","doc":"Which."}`)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := serde.Check(test[0], test[1]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckNamesWhatIsAtFault(t *testing.T) {
	lines := func(fields string) string {
		return shopRecord(`{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[` +
			fields + `]}}}`)
	}
	tests := map[string]struct{ earlier, later, want string }{
		"a field without a default is added": {
			shopRecord(``), shopRecord(`{"name":"email","type":"string"}`), "field email"},
		"a field without a default is removed": {
			shopRecord(`{"name":"email","type":"string"}`), shopRecord(``), "field email"},
		"an inner field is added": {
			lines(`{"name":"sku","type":"string"}`),
			lines(`{"name":"sku","type":"string"},{"name":"price","type":"long"}`), "field lines.price"},
		"an inner field changes its type": {
			lines(`{"name":"sku","type":"string"}`), lines(`{"name":"sku","type":"long"}`), "field lines.sku"},
		"an int becomes a long, which the earlier cannot read": {
			shopRecord(`{"name":"n","type":"int"}`), shopRecord(`{"name":"n","type":"long"}`), "field n"},
		"an alternative is added": {
			shopRecord(`{"name":"n","type":["null","long"]}`), shopRecord(`{"name":"n","type":["null","long","string"]}`),
			"field n"},
		"a value of a map changes its type": {
			shopRecord(`{"name":"m","type":{"type":"map","values":"long"}}`),
			shopRecord(`{"name":"m","type":{"type":"map","values":"string"}}`), "field m"},
		"a symbol is removed though there is a default": {
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["unknown","b"],"default":"unknown"}}`),
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["unknown"],"default":"unknown"}}`),
			"the enum shop.E loses the symbol b"},
		"a symbol is added without a default": {
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["a"]}}`),
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["a","b"]}}`), "field e"},
		"the namespace changes": {
			shopRecord(``), strings.Replace(shopRecord(``), "shop", "mall", 1), "shop.Purchase becomes mall.Purchase"},
		"the earlier is no schema": {`{`, shopRecord(``), "the earlier schema"},
		"the later is no record":   {shopRecord(``), `"string"`, "the later schema"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := serde.Check(test.earlier, test.later)
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
