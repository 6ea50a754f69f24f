package serde

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hamba/avro/v2"
)

// Rule is what a schema must keep to beside every version before it.
type Rule string

// The rules, named by how they are broken.
const (
	RequiredFieldAdded Rule = "required field added"
	FieldRemoved       Rule = "field removed without default"
	TypeNarrowed       Rule = "type narrowed"
	TypeWidened        Rule = "type widened"
	TypeChanged        Rule = "type changed"
	SymbolRemoved      Rule = "enum symbol removed"
	NameVanished       Rule = "record name vanished"
	NoSchema           Rule = "no readable schema"
)

// Breach is the error that says which rule is broken and where. It wraps ErrIncompatible.
type Breach struct {
	Rule Rule `json:"rule"`
	// Field is the path of the field at fault, such as lines.price. Empty if it is the record itself.
	Field string `json:"field,omitempty"`
	// Reason says in words what is wrong, and with what consequence.
	Reason string `json:"reason"`
}

// Error names rule, field and reason.
func (b *Breach) Error() string { return fmt.Sprintf("%v: %s: %s", ErrIncompatible, b.Rule, b.Reason) }

// Unwrap returns ErrIncompatible.
func (b *Breach) Unwrap() error { return ErrIncompatible }

// Check returns a *Breach unless the record later may follow earlier: each reads what the other wrote, the full name
// stays, of which Avro compares the last part only, and no enum loses a symbol, which Avro allows of an enum with a
// default but which would turn facts into "unknown".
func Check(earlier, later string) error {
	before, err := parseSound(earlier)
	if err != nil {
		return &Breach{NoSchema, "", fmt.Sprintf("the earlier schema %v", err)}
	}
	after, err := parseSound(later)
	if err != nil {
		return &Breach{NoSchema, "", fmt.Sprintf("the later schema %v", err)}
	}
	if before.FullName() != after.FullName() {
		return &Breach{NameVanished, "", fmt.Sprintf("%s becomes %s, which no reader of %s would look for",
			before.FullName(), after.FullName(), before.FullName())}
	}
	if d := disagree(after, before); d != nil {
		if d.writer == nil {
			return &Breach{RequiredFieldAdded, d.path,
				fmt.Sprintf("field %s is added without a default: what was written before cannot be read", d.path)}
		}
		return changed(d.path, d.writer, d.reader, d.cause)
	}
	if d := disagree(before, after); d != nil {
		if d.writer == nil {
			return &Breach{FieldRemoved, d.path, fmt.Sprintf(
				"field %s is removed though it has no default: the release before cannot read what is written now",
				d.path)}
		}
		return changed(d.path, d.reader, d.writer, d.cause)
	}
	return lost(before, after)
}

// changed is the breach of a field whose type was one and is another now.
func changed(path string, was, now avro.Schema, cause error) *Breach {
	from, to := describe(was), describe(now)
	compatible := avro.NewSchemaCompatibility()
	switch {
	case from == to:
		return &Breach{TypeChanged, path, fmt.Sprintf("field %s changes within its type, %s: %v", path, from, cause)}
	case compatible.Compatible(was, now) == nil:
		return &Breach{TypeNarrowed, path, fmt.Sprintf(
			"field %s is narrowed from %s to %s: what was written before cannot be read", path, from, to)}
	case compatible.Compatible(now, was) == nil:
		return &Breach{TypeWidened, path, fmt.Sprintf(
			"field %s is widened from %s to %s: the release before cannot read what is written now", path, from, to)}
	}
	return &Breach{TypeChanged, path, fmt.Sprintf(
		"field %s changes its type from %s to %s: neither release can read the other", path, from, to)}
}

// describe a type in words.
func describe(schema avro.Schema) string {
	switch s := follow(schema).(type) {
	case avro.NamedSchema:
		return fmt.Sprintf("the %s %s", s.Type(), s.FullName())
	case *avro.UnionSchema:
		var names []string
		for _, t := range s.Types() {
			names = append(names, describe(t))
		}
		return strings.Join(names, " or ")
	case *avro.ArraySchema:
		return "a list of " + describe(s.Items())
	case *avro.MapSchema:
		return "a map of " + describe(s.Values())
	case *avro.PrimitiveSchema:
		if s.Logical() != nil {
			return string(s.Logical().Type())
		}
	}
	return string(schema.Type())
}

// lost returns the breach of the first symbol that an enum of before has and that of after lacks. Both are sound.
func lost(before, after avro.Schema) error {
	kept := make(map[string][]string)
	for _, e := range enums(after, "") {
		kept[e.FullName()] = e.Symbols()
	}
	for path, e := range enums(before, "") {
		for _, symbol := range e.Symbols() {
			if remaining, ok := kept[e.FullName()]; ok && !slices.Contains(remaining, symbol) {
				return &Breach{SymbolRemoved, path, fmt.Sprintf(
					"field %s: the enum %s loses the symbol %s, which would be read as %q", path, e.FullName(), symbol,
					e.Default())}
			}
		}
	}
	return nil
}

// enums yields those within a sound schema, each with the path of its field.
func enums(schema avro.Schema, path string) func(yield func(string, *avro.EnumSchema) bool) {
	return func(yield func(string, *avro.EnumSchema) bool) {
		switch s := follow(schema).(type) {
		case *avro.EnumSchema:
			yield(path, s)
		case *avro.RecordSchema:
			for _, f := range s.Fields() {
				for at, e := range enums(f.Type(), below(path, f)) {
					if !yield(at, e) {
						return
					}
				}
			}
		default:
			for inner := range parts(s) {
				for at, e := range enums(inner, path) {
					if !yield(at, e) {
						return
					}
				}
			}
		}
	}
}
