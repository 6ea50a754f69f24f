package schemas_test

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

// judge returns what is wrong with records, given the versions kept of each: what [serde.Compare] refuses, and a schema
// that has changed without a new version.
func judge(records []schemas.Record, kept map[string][]schemas.Version) []error {
	var faults []error
	for _, f := range serde.Compare(types(records), published(kept)) {
		for number, breach := range f.Breaches {
			faults = append(faults, fmt.Errorf("%s beside its version %d: %w", f.Record, number, breach))
		}
		if f.Verdict != serde.Refused && (f.Version == 0 || f.Version != f.Newest) {
			faults = append(faults, fmt.Errorf("%s differs from its newest golden version: add a version (-update)", f.Record))
		}
	}
	return faults
}

func types(records []schemas.Record) []serde.Type {
	var types []serde.Type
	for _, r := range records {
		types = append(types, serde.Type(r))
	}
	return types
}

func published(kept map[string][]schemas.Version) map[string][]serde.Version {
	published := make(map[string][]serde.Version)
	for name, versions := range kept {
		for i, v := range versions {
			published[name] = append(published[name], serde.Version{Number: i + 1, Schema: v.Schema})
		}
	}
	return published
}
