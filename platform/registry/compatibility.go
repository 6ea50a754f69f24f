package registry

import (
	"fmt"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"
)

// verdict is the answer of the compatibility endpoint.
type verdict struct {
	Compatible bool     `json:"is_compatible"`
	Messages   []string `json:"messages"`
}

// test answers whether a schema could be registered: against one version, or without one against those that its level
// demands.
func (r *Registry) test(w http.ResponseWriter, req *http.Request) {
	schema, refused := r.readSchema(w, req)
	if refused != nil {
		r.answer(w, *refused, 0)
		return
	}
	r.mu.RLock()
	got := r.testLocked(req.PathValue("subject"), req.PathValue("version"), schema)
	position := r.journal.End()
	r.mu.RUnlock()
	r.answer(w, got, position)
}

func (r *Registry) testLocked(subject, version, schema string) reply {
	if version == "" {
		return judge(r.conflicts(subject, schema))
	}
	if !r.fake.SubjectExists(subject) {
		return failure(http.StatusNotFound, sr.ErrSubjectNotFound.Code, "subject %q not found", subject)
	}
	number, err := r.number(subject, version)
	if err != nil {
		return failure(http.StatusUnprocessableEntity, sr.ErrInvalidVersion.Code,
			"the version is neither a number nor latest")
	}
	earlier, ok := r.fake.GetSchema(subject, number)
	if !ok {
		return failure(http.StatusNotFound, sr.ErrVersionNotFound.Code, "version %s of %q not found", version, subject)
	}
	return judge(r.compare(r.level(subject), schema, earlier))
}

func judge(reasons []string) reply {
	if reasons == nil {
		reasons = []string{}
	}
	return success(verdict{Compatible: len(reasons) == 0, Messages: reasons})
}

// conflicts returns why the schema cannot become the next version of the subject. The caller holds the lock.
func (r *Registry) conflicts(subject, schema string) []string {
	level := r.level(subject)
	earlier := r.versions(subject)
	if !isTransitive(level) && len(earlier) > 1 {
		earlier = earlier[len(earlier)-1:]
	}
	var reasons []string
	for _, version := range earlier {
		reasons = append(reasons, r.compare(level, schema, version)...)
	}
	return reasons
}

// compare returns why the schema may not follow the earlier one at the level.
func (r *Registry) compare(level sr.CompatibilityLevel, schema string, earlier sr.SubjectSchema) []string {
	var reasons []string
	if isBackward(level) {
		if err := r.config.Compatible(schema, earlier.Schema.Schema); err != nil {
			reasons = append(reasons, fmt.Sprintf(
				"the new schema cannot read what was written with version %d: %v", earlier.Version, err))
		}
	}
	if isForward(level) {
		if err := r.config.Compatible(earlier.Schema.Schema, schema); err != nil {
			reasons = append(reasons, fmt.Sprintf(
				"version %d cannot read what will be written with the new schema: %v", earlier.Version, err))
		}
	}
	return reasons
}

func isTransitive(level sr.CompatibilityLevel) bool {
	return level == sr.CompatBackwardTransitive || level == sr.CompatForwardTransitive ||
		level == sr.CompatFullTransitive
}

func isBackward(level sr.CompatibilityLevel) bool {
	return level == sr.CompatBackward || level == sr.CompatBackwardTransitive || isFull(level)
}

func isForward(level sr.CompatibilityLevel) bool {
	return level == sr.CompatForward || level == sr.CompatForwardTransitive || isFull(level)
}

func isFull(level sr.CompatibilityLevel) bool {
	return level == sr.CompatFull || level == sr.CompatFullTransitive
}
