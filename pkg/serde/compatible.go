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
	if d := disagree(r, w); d != nil {
		return fmt.Errorf("%w: %w", ErrIncompatible, d)
	}
	return nil
}

// disagreement of a reader's and a writer's schema. The library does not say where it is.
type disagreement struct {
	// path of the innermost field, empty if it is the schema itself.
	path string
	// reader and writer are the types that disagree. The writer's is nil if the field is not written.
	reader, writer avro.Schema
	// cause is what the library says.
	cause error
}

func (d *disagreement) Error() string {
	switch {
	case d.path == "":
		return d.cause.Error()
	case d.writer == nil:
		return fmt.Sprintf("field %s: not written, and without a default", d.path)
	}
	return fmt.Sprintf("field %s: %v", d.path, d.cause)
}

// disagree returns nil if what is written as writer can be read as reader.
func disagree(reader, writer avro.Schema) *disagreement {
	err := avro.NewSchemaCompatibility().Compatible(reader, writer)
	if err == nil {
		return nil
	}
	return locate(reader, writer, "", 0, err)
}

// locate follows the path to the innermost field on which reader and writer disagree.
func locate(reader, writer avro.Schema, path string, depth int, cause error) *disagreement {
	reader, writer = follow(reader), follow(writer)
	here := &disagreement{path, reader, writer, cause}
	if depth > maxDepth {
		return here
	}
	switch r := reader.(type) {
	case *avro.RecordSchema:
		if w, ok := writer.(*avro.RecordSchema); ok {
			for _, f := range r.Fields() {
				if d := locateField(f, w, path, depth); d != nil {
					return d
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
	return here
}

// locateField returns nil if the reader's field can be read from what writer wrote.
func locateField(field *avro.Field, writer *avro.RecordSchema, path string, depth int) *disagreement {
	path = below(path, field)
	at := slices.IndexFunc(writer.Fields(), func(f *avro.Field) bool {
		return f.Name() == field.Name() || slices.Contains(field.Aliases(), f.Name())
	})
	if at < 0 {
		if field.HasDefault() {
			return nil
		}
		return &disagreement{path: path, reader: field.Type()}
	}
	written := writer.Fields()[at].Type()
	if err := avro.NewSchemaCompatibility().Compatible(field.Type(), written); err != nil {
		return locate(field.Type(), written, path, depth+1, err)
	}
	return nil
}

// below is the path of a field of what stands at path.
func below(path string, field *avro.Field) string {
	if path == "" {
		return field.Name()
	}
	return path + "." + field.Name()
}

func follow(schema avro.Schema) avro.Schema {
	if ref, ok := schema.(*avro.RefSchema); ok {
		return ref.Schema()
	}
	return schema
}
