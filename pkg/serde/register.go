package serde

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

// ErrIncompatible says that a schema cannot replace those before it.
var ErrIncompatible = errors.New("incompatible schema")

// Register makes the registry hold types: each subject gets the compatibility FULL_TRANSITIVE and, if it is missing,
// the schema. It is a deployment's task; services never register. It may be repeated.
func Register(ctx context.Context, registry *sr.Client, types []Type) error {
	for _, t := range types {
		set := registry.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFullTransitive}, t.Subject())
		for _, result := range set {
			if result.Err != nil {
				return fmt.Errorf("set the compatibility of %s: %w", t.Subject(), result.Err)
			}
		}
		_, err := registry.CreateSchema(ctx, t.Subject(), sr.Schema{Schema: t.Schema})
		if response, ok := errors.AsType[*sr.ResponseError](err); ok && response.StatusCode == http.StatusConflict {
			return fmt.Errorf("%w: the registry refuses %s: %w", ErrIncompatible, t.Subject(), err)
		}
		if err != nil {
			return fmt.Errorf("register %s: %w", t.Subject(), err)
		}
	}
	return nil
}

// Compatible returns an error that wraps ErrIncompatible unless what writer wrote can be read with reader.
func Compatible(reader, writer string) error {
	r, err := parse(reader)
	if err != nil {
		return fmt.Errorf("%w: the reader's schema: %w", ErrIncompatible, err)
	}
	w, err := parse(writer)
	if err != nil {
		return fmt.Errorf("%w: the writer's schema: %w", ErrIncompatible, err)
	}
	if err := avro.NewSchemaCompatibility().Compatible(r, w); err != nil {
		return fmt.Errorf("%w: %w", ErrIncompatible, err)
	}
	return nil
}
