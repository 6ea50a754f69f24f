package serde

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"
)

// Version of a record's schema, as it was published once.
type Version struct {
	Number int
	Schema string
}

// Verdict on a record of the tree.
type Verdict string

// The verdicts, from harmless to not.
const (
	// Published: the schema is one of the versions.
	Published Verdict = "ok"
	// NewVersion: it is none of them and may follow all of them.
	NewVersion Verdict = "new version"
	// NewRecord: there is no version of it.
	NewRecord Verdict = "new record"
	// Refused: it breaks a rule beside at least one of them.
	Refused Verdict = "refused"
)

// Finding is what Compare says of a record.
type Finding struct {
	Record  string
	Verdict Verdict
	// Version is the one that the schema is, 0 if it is none. Newest is the newest there is, 0 if there is none.
	Version, Newest int
	// Breaches holds, by version, what is refused.
	Breaches map[int]*Breach
}

// Compare holds each of types against the versions that were published of it, by the record's name and oldest first. A
// record that was published and is none of types is refused too. The findings are in the order of the records' names.
func Compare(types []Type, published map[string][]Version) []Finding {
	var findings []Finding
	today := make(map[string]bool)
	for _, t := range types {
		today[t.Name] = true
		findings = append(findings, judge(t, published[t.Name]))
	}
	for name, versions := range published {
		if !today[name] && len(versions) > 0 {
			newest := versions[len(versions)-1].Number
			reason := fmt.Sprintf("%s was published and has no schema any more: its events are still to be read", name)
			findings = append(findings, Finding{Record: name, Verdict: Refused, Newest: newest,
				Breaches: map[int]*Breach{newest: {Rule: NameVanished, Reason: reason}}})
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return strings.Compare(a.Record, b.Record) })
	return findings
}

func judge(t Type, versions []Version) Finding {
	f := Finding{Record: t.Name, Verdict: NewVersion}
	for _, v := range versions {
		f.Newest = v.Number
		if v.Schema == t.Schema {
			f.Version = v.Number
		}
		if breach, ok := errors.AsType[*Breach](Check(v.Schema, t.Schema)); ok {
			if f.Breaches == nil {
				f.Breaches = make(map[int]*Breach)
			}
			f.Breaches[v.Number] = breach
		}
	}
	switch {
	case len(f.Breaches) > 0:
		f.Verdict = Refused
	case f.Version > 0:
		f.Verdict = Published
	case len(versions) == 0:
		f.Verdict = NewRecord
	}
	return f
}

// Registered returns every version that a registry has of each record on the topics of types, by the record's name and
// oldest first. A version that the registry takes for a schema of types has that schema's text, whatever the registry's
// own form of it. The error wraps ErrUnavailable.
func Registered(ctx context.Context, registry *sr.Client, types []Type) (map[string][]Version, error) {
	subjects, err := registry.Subjects(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: list the subjects: %w", ErrUnavailable, err)
	}
	published := make(map[string][]Version)
	for _, topic := range topics(types) {
		for _, subject := range subjects {
			name, ours := strings.CutPrefix(subject, topic+"-")
			if !ours {
				continue
			}
			if published[name], err = allVersions(ctx, registry, subject); err != nil {
				return nil, err
			}
		}
	}
	for _, t := range types {
		found, err := registry.LookupSchema(ctx, t.Subject(), sr.Schema{Schema: t.Schema})
		if err != nil && !isMissing(err) && !isUnprocessable(err) {
			return nil, fmt.Errorf("%w: look up %s: %w", ErrUnavailable, t.Subject(), err)
		}
		for i, v := range published[t.Name] {
			if err == nil && v.Number == found.Version {
				published[t.Name][i].Schema = t.Schema
			}
		}
	}
	return published, nil
}

func topics(types []Type) []string {
	var names []string
	for _, t := range types {
		names = append(names, t.Topic)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func allVersions(ctx context.Context, registry *sr.Client, subject string) ([]Version, error) {
	numbers, err := registry.SubjectVersions(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("%w: versions of %s: %w", ErrUnavailable, subject, err)
	}
	slices.Sort(numbers)
	var versions []Version
	for _, number := range numbers {
		found, err := registry.SchemaByVersion(ctx, subject, number)
		if err != nil {
			return nil, fmt.Errorf("%w: version %d of %s: %w", ErrUnavailable, number, subject, err)
		}
		versions = append(versions, Version{number, found.Schema.Schema})
	}
	return versions, nil
}

// isUnprocessable reports whether the registry answered that it cannot read a schema. Check says why.
func isUnprocessable(err error) bool {
	answer, ok := errors.AsType[*sr.ResponseError](err)
	return ok && answer.StatusCode == http.StatusUnprocessableEntity
}
