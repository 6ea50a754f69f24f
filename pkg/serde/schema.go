package serde

import (
	"errors"
	"fmt"

	"github.com/hamba/avro/v2"
)

const (
	maxSchema = 128 << 10 // bytes of a schema's text
	maxDepth  = 32        // types within types
	maxNodes  = 10_000    // types of a schema, one used twice counted twice
)

// parse uses a cache of its own: the library's default is global and would resolve a type of an unrelated schema.
func parse(text string) (avro.Schema, error) {
	if len(text) > maxSchema {
		return nil, fmt.Errorf("has %d bytes, at most %d are read", len(text), maxSchema)
	}
	schema, err := avro.ParseWithCache(text, "", &avro.SchemaCache{})
	if err != nil {
		return nil, fmt.Errorf("cannot be parsed: %w", err)
	}
	return schema, nil
}

func parseRecord(text string) (*avro.RecordSchema, error) {
	schema, err := parse(text)
	if err != nil {
		return nil, err
	}
	record, ok := schema.(*avro.RecordSchema)
	if !ok {
		return nil, errors.New("is no record")
	}
	return record, nil
}

func parseSound(text string) (*avro.RecordSchema, error) {
	record, err := parseRecord(text)
	if err != nil {
		return nil, err
	}
	return record, sound(record)
}

// sound returns an error unless schema, with all references followed, is a tree of bounded depth and size. A recursive
// schema would make the library build a decoder without end, and a few lines of types that use each other twice one of
// astronomic size.
func sound(schema avro.Schema) error {
	left := maxNodes
	return soundBelow(schema, 0, &left)
}

func soundBelow(schema avro.Schema, depth int, left *int) error {
	if depth > maxDepth {
		return fmt.Errorf("is recursive or nested more than %d deep", maxDepth)
	}
	if *left--; *left < 0 {
		return fmt.Errorf("has more than %d types", maxNodes)
	}
	for inner := range parts(schema) {
		if err := soundBelow(inner, depth+1, left); err != nil {
			return err
		}
	}
	return nil
}

// parts yields the types that schema consists of.
func parts(schema avro.Schema) func(yield func(avro.Schema) bool) {
	return func(yield func(avro.Schema) bool) {
		switch s := schema.(type) {
		case *avro.RefSchema:
			yield(s.Schema())
		case *avro.RecordSchema:
			for _, f := range s.Fields() {
				if !yield(f.Type()) {
					return
				}
			}
		case *avro.UnionSchema:
			for _, t := range s.Types() {
				if !yield(t) {
					return
				}
			}
		case *avro.ArraySchema:
			yield(s.Items())
		case *avro.MapSchema:
			yield(s.Values())
		}
	}
}
