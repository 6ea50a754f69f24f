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
	tests := map[string]struct {
		earlier, later string
		rule           serde.Rule
		field, want    string
	}{
		"a field without a default is added": {
			shopRecord(``), shopRecord(`{"name":"email","type":"string"}`),
			serde.RequiredFieldAdded, "email", "field email is added without a default"},
		"a field without a default is removed": {
			shopRecord(`{"name":"email","type":"string"}`), shopRecord(``),
			serde.FieldRemoved, "email", "field email is removed though it has no default"},
		"an inner field is added": {
			lines(`{"name":"sku","type":"string"}`),
			lines(`{"name":"sku","type":"string"},{"name":"price","type":"long"}`),
			serde.RequiredFieldAdded, "lines.price", "field lines.price is added"},
		"an inner field changes its type": {
			lines(`{"name":"sku","type":"string"}`), lines(`{"name":"sku","type":"long"}`),
			serde.TypeChanged, "lines.sku", "field lines.sku changes its type from string to long"},
		"an int becomes a long, which the earlier cannot read": {
			shopRecord(`{"name":"n","type":"int"}`), shopRecord(`{"name":"n","type":"long"}`),
			serde.TypeWidened, "n", "field n is widened from int to long"},
		"a long becomes an int": {
			shopRecord(`{"name":"n","type":"long"}`), shopRecord(`{"name":"n","type":"int"}`),
			serde.TypeNarrowed, "n", "field n is narrowed from long to int"},
		"a moment becomes a text": {
			shopRecord(`{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}}`),
			shopRecord(`{"name":"at","type":"string"}`),
			serde.TypeChanged, "at", "from timestamp-micros to string"},
		"an alternative is added": {
			shopRecord(`{"name":"n","type":["null","long"]}`), shopRecord(`{"name":"n","type":["null","long","string"]}`),
			serde.TypeWidened, "n", "from null or long to null or long or string"},
		"a value of a map changes its type": {
			shopRecord(`{"name":"m","type":{"type":"map","values":"long"}}`),
			shopRecord(`{"name":"m","type":{"type":"map","values":"string"}}`),
			serde.TypeChanged, "m", "field m changes its type from long to string"},
		"a symbol is removed though there is a default": {
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["unknown","b"],"default":"unknown"}}`),
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["unknown"],"default":"unknown"}}`),
			serde.SymbolRemoved, "e", "field e: the enum shop.E loses the symbol b"},
		"a symbol is added without a default": {
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["a"]}}`),
			shopRecord(`{"name":"e","type":{"type":"enum","name":"E","symbols":["a","b"]}}`),
			serde.TypeChanged, "e", "field e changes within its type, the enum shop.E"},
		"the namespace changes": {
			shopRecord(``), strings.Replace(shopRecord(``), "shop", "mall", 1),
			serde.NameVanished, "", "shop.Purchase becomes mall.Purchase"},
		"the earlier is no schema": {`{`, shopRecord(``), serde.NoSchema, "", "the earlier schema"},
		"the later is no record":   {shopRecord(``), `"string"`, serde.NoSchema, "", "the later schema"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := serde.Check(test.earlier, test.later)
			breach, ok := errors.AsType[*serde.Breach](err)
			if !ok || !errors.Is(err, serde.ErrIncompatible) {
				t.Fatalf("got %v", err)
			}
			if breach.Rule != test.rule || breach.Field != test.field || !strings.Contains(breach.Reason, test.want) {
				t.Errorf("got %+v, want %s at %q saying %q", breach, test.rule, test.field, test.want)
			}
		})
	}
}
