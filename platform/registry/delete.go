package registry

import (
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

// deleteSubject hides a subject or, permanently and only once hidden, removes it. The ids of its schemas remain taken.
func (r *Registry) deleteSubject(w http.ResponseWriter, req *http.Request) {
	subject := req.PathValue("subject")
	target, permanent := subjectOf(subject), isPermanent(req)

	r.mu.Lock()
	var got reply
	var position journal.Position
	if permanent && r.fake.SubjectExists(subject) {
		got = failure(http.StatusNotFound, sr.ErrSubjectNotSoftDeleted.Code,
			"subject %q was not deleted first before being permanently deleted", subject)
	} else {
		got, position = r.apply(change{Method: http.MethodDelete, Target: target + deletion(permanent)})
	}
	r.mu.Unlock()
	r.answer(w, got, position)
}

// deleteVersion hides a version or, permanently and only once hidden, removes it. The id of its schema remains taken.
func (r *Registry) deleteVersion(w http.ResponseWriter, req *http.Request) {
	subject, permanent := req.PathValue("subject"), isPermanent(req)

	r.mu.Lock()
	var got reply
	var position journal.Position
	number, err := r.number(subject, req.PathValue("version"))
	_, active := r.fake.GetSchema(subject, number)
	switch {
	case err != nil:
		got = failure(http.StatusUnprocessableEntity, sr.ErrInvalidVersion.Code,
			"the version is neither a number nor latest")
	case permanent && active:
		got = failure(http.StatusNotFound, sr.ErrSchemaVersionNotSoftDeleted.Code,
			"version %d of subject %q was not deleted first before being permanently deleted", number, subject)
	default:
		target := versionOf(subject, number) + deletion(permanent)
		got, position = r.apply(change{Method: http.MethodDelete, Target: target})
	}
	r.mu.Unlock()
	r.answer(w, got, position)
}

func isPermanent(req *http.Request) bool { return req.URL.Query().Get("permanent") == "true" }

func deletion(permanent bool) string {
	if permanent {
		return "?permanent=true"
	}
	return ""
}
