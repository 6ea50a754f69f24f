package serde

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"
)

// Register makes the registry hold types: each subject gets the compatibility FULL_TRANSITIVE and, if it is missing,
// the schema. It is a deployment's task; services never register. It may be repeated. The error names the subject, and
// wraps ErrIncompatible if the registry refuses the schema beside the versions it has.
func Register(ctx context.Context, registry *sr.Client, types []Type) error {
	for _, t := range types {
		set := sr.SetCompatibility{Level: sr.CompatFullTransitive}
		for _, result := range registry.SetCompatibility(ctx, set, t.Subject()) {
			if result.Err != nil {
				return fmt.Errorf("set the compatibility of %s: %w", t.Subject(), result.Err)
			}
		}
		_, err := registry.RegisterSchema(ctx, t.Subject(), sr.Schema{Schema: t.Schema}, -1, -1)
		if answer, ok := errors.AsType[*sr.ResponseError](err); ok && answer.StatusCode == http.StatusConflict {
			return fmt.Errorf("%w: %s: %w", ErrIncompatible, t.Subject(), err)
		}
		if err != nil {
			return fmt.Errorf("register %s: %w", t.Subject(), err)
		}
	}
	return nil
}
