package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// source of published versions.
type source struct {
	name      string
	published map[string][]serde.Version
}

// result for a record.
type result struct {
	Record string `json:"record"`
	// Verdict is the worst of those beside the sources.
	Verdict serde.Verdict `json:"verdict"`
	Beside  []comparison  `json:"beside"`
}

// comparison of a record with the versions of a source.
type comparison struct {
	Source  string        `json:"source"`
	Verdict serde.Verdict `json:"verdict"`
	// Version is the one that the schema is, Newest the newest there is; 0 if there is none.
	Version int      `json:"version"`
	Newest  int      `json:"newest"`
	Refused []breach `json:"refused,omitempty"`
}

// breach of a rule beside a version.
type breach struct {
	Version int `json:"version"`
	*serde.Breach
}

// compare returns the results in the order of the records' names.
func compare(types []serde.Type, sources []source) []result {
	severity := []serde.Verdict{serde.Published, serde.NewVersion, serde.NewRecord, serde.Refused}
	byRecord := make(map[string]*result)
	for _, s := range sources {
		for _, f := range serde.Compare(types, s.published) {
			r := byRecord[f.Record]
			if r == nil {
				r = &result{Record: f.Record, Verdict: serde.Published}
				byRecord[f.Record] = r
			}
			if slices.Index(severity, f.Verdict) > slices.Index(severity, r.Verdict) {
				r.Verdict = f.Verdict
			}
			c := comparison{Source: s.name, Verdict: f.Verdict, Version: f.Version, Newest: f.Newest}
			for _, number := range slices.Sorted(maps.Keys(f.Breaches)) {
				c.Refused = append(c.Refused, breach{number, f.Breaches[number]})
			}
			r.Beside = append(r.Beside, c)
		}
	}
	results := make([]result, 0, len(byRecord))
	for _, name := range slices.Sorted(maps.Keys(byRecord)) {
		results = append(results, *byRecord[name])
	}
	return results
}

// String is the record's line.
func (r result) String() string {
	var beside []string
	for _, c := range r.Beside {
		if r.Verdict != serde.Refused || c.Verdict == serde.Refused {
			beside = append(beside, c.String())
		}
	}
	return fmt.Sprintf("%-11s  %-44s  %s", r.Verdict, r.Record, strings.Join(beside, "; "))
}

// String says it in words.
func (c comparison) String() string {
	switch c.Verdict {
	case serde.Published:
		return fmt.Sprintf("%s version %d", c.Source, c.Version)
	case serde.NewVersion:
		return fmt.Sprintf("follows %s version %d", c.Source, c.Newest)
	case serde.NewRecord:
		return "not in " + c.Source + " yet"
	}
	var refused []string
	for _, b := range c.Refused {
		refused = append(refused, fmt.Sprintf("%s version %d: %s: %s", c.Source, b.Version, b.Rule, b.Reason))
	}
	return strings.Join(refused, "; ")
}
