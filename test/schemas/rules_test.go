package schemas_test

import (
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/schemas"
)

// judge returns what is wrong with records, given the versions kept of each: a record that vanished, a schema that has
// changed without a new version, and one that cannot stand beside every version there ever was.
func judge(records []schemas.Record, kept map[string][]version) []error {
	var faults []error
	today := make(map[string]bool)
	for _, r := range records {
		name := simple(r.Name)
		today[name] = true
		versions := kept[name]
		if len(versions) == 0 || versions[len(versions)-1].schema != r.Schema {
			faults = append(faults, fmt.Errorf("%s differs from its newest golden version: add a version (-update)", r.Name))
		}
		faults = append(faults, conflicts(r, versions)...)
	}
	for name := range kept {
		if !today[name] {
			faults = append(faults, fmt.Errorf("%s was published once, but is no record any more", name))
		}
	}
	return faults
}

// conflicts returns the versions that cannot be read as the record is today, or the other way round.
func conflicts(r schemas.Record, versions []version) []error {
	var faults []error
	for i, v := range versions {
		if err := serde.Check(v.schema, r.Schema); err != nil {
			faults = append(faults, fmt.Errorf("%s cannot stand beside its version %d: %w", r.Name, i+1, err))
		}
	}
	return faults
}
