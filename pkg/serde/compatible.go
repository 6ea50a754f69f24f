package serde

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hamba/avro/v2"
)

// ErrIncompatible says that a schema cannot stand beside another.
var ErrIncompatible = errors.New("incompatible schema")

// Compatible returns an error that wraps ErrIncompatible, and names the field at fault, unless what was written with
// the schema writer can be read with the schema reader.
func Compatible(reader, writer string) error {
	r, err := parse(reader)
	if err != nil {
		return fmt.Errorf("%w: the reader's schema %w", ErrIncompatible, err)
	}
	w, err := parse(writer)
	if err != nil {
		return fmt.Errorf("%w: the writer's schema %w", ErrIncompatible, err)
	}
	if err := avro.NewSchemaCompatibility().Compatible(r, w); err != nil {
		return fmt.Errorf("%w: %w", ErrIncompatible, locate(r, w, "", 0, err))
	}
	return nil
}

// Check returns an error that wraps ErrIncompatible unless the record later may follow earlier: each reads what the
// other wrote, the full name stays, of which Avro compares the last part only, and no enum loses a symbol, which Avro
// allows of an enum with a default but which would turn facts into "unknown".
func Check(earlier, later string) error {
	before, err := parseSound(earlier)
	if err != nil {
		return fmt.Errorf("%w: the earlier schema %w", ErrIncompatible, err)
	}
	after, err := parseSound(later)
	if err != nil {
		return fmt.Errorf("%w: the later schema %w", ErrIncompatible, err)
	}
	if before.FullName() != after.FullName() {
		return fmt.Errorf("%w: %s becomes %s", ErrIncompatible, before.FullName(), after.FullName())
	}
	if err := Compatible(later, earlier); err != nil {
		return fmt.Errorf("the later cannot read the earlier: %w", err)
	}
	if err := Compatible(earlier, later); err != nil {
		return fmt.Errorf("the earlier cannot read the later: %w", err)
	}
	kept := enums(after)
	for name, symbols := range enums(before) {
		for _, symbol := range symbols {
			if remaining, ok := kept[name]; ok && !slices.Contains(remaining, symbol) {
				return fmt.Errorf("%w: the enum %s loses the symbol %s", ErrIncompatible, name, symbol)
			}
		}
	}
	return nil
}

// enums of a sound schema and their symbols, by full name.
func enums(schema avro.Schema) map[string][]string {
	found := make(map[string][]string)
	collect(schema, found)
	return found
}

func collect(schema avro.Schema, found map[string][]string) {
	if e, ok := schema.(*avro.EnumSchema); ok {
		found[e.FullName()] = e.Symbols()
	}
	for inner := range parts(schema) {
		collect(inner, found)
	}
}

// locate follows the path to the innermost field on which reader and writer disagree, for the library does not say
// where. Cause is what the library said.
func locate(reader, writer avro.Schema, path string, depth int, cause error) error {
	if depth > maxDepth {
		return cause
	}
	reader, writer = follow(reader), follow(writer)
	switch r := reader.(type) {
	case *avro.RecordSchema:
		if w, ok := writer.(*avro.RecordSchema); ok {
			for _, f := range r.Fields() {
				if err := disagree(f, w, path, depth); err != nil {
					return err
				}
			}
		}
	case *avro.ArraySchema:
		if w, ok := writer.(*avro.ArraySchema); ok {
			return locate(r.Items(), w.Items(), path, depth+1, cause)
		}
	case *avro.MapSchema:
		if w, ok := writer.(*avro.MapSchema); ok {
			return locate(r.Values(), w.Values(), path, depth+1, cause)
		}
	}
	if path == "" {
		return cause
	}
	return fmt.Errorf("field %s: %w", path[1:], cause)
}

// disagree returns why the reader's field cannot be read from what writer wrote, nil if it can.
func disagree(field *avro.Field, writer *avro.RecordSchema, path string, depth int) error {
	path += "." + field.Name()
	at := slices.IndexFunc(writer.Fields(), func(f *avro.Field) bool {
		return f.Name() == field.Name() || slices.Contains(field.Aliases(), f.Name())
	})
	if at < 0 {
		if field.HasDefault() {
			return nil
		}
		return fmt.Errorf("field %s: not written, and without a default", path[1:])
	}
	written := writer.Fields()[at].Type()
	if err := avro.NewSchemaCompatibility().Compatible(field.Type(), written); err != nil {
		return locate(field.Type(), written, path, depth+1, err)
	}
	return nil
}

func follow(schema avro.Schema) avro.Schema {
	if ref, ok := schema.(*avro.RefSchema); ok {
		return ref.Schema()
	}
	return schema
}
