package registry

import (
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

// register gives a schema an id and the subject its next version, unless the subject has the schema already.
func (r *Registry) register(w http.ResponseWriter, req *http.Request) {
	schema, refused := r.readSchema(w, req)
	if refused != nil {
		r.answer(w, *refused, 0)
		return
	}
	subject := req.PathValue("subject")
	body := requestBody(schema)

	r.mu.Lock()
	got, position := r.registerLocked(subject, schema, body)
	r.mu.Unlock()
	r.answer(w, got, position)
}

// lookup answers whether the subject has the schema, and under which id and version.
func (r *Registry) lookup(w http.ResponseWriter, req *http.Request) {
	schema, refused := r.readSchema(w, req)
	if refused != nil {
		r.answer(w, *refused, 0)
		return
	}
	r.mu.RLock()
	got := r.call(http.MethodPost, req.URL.RequestURI(), requestBody(schema))
	position := r.journal.End()
	r.mu.RUnlock()
	r.answer(w, got, position)
}

// registerLocked checks and registers in one step. The caller holds the lock.
func (r *Registry) registerLocked(subject, schema string, body []byte) (reply, journal.Position) {
	if known := r.call(http.MethodPost, subjectOf(subject), body); known.status == http.StatusOK {
		return success(map[string]int{"id": known.id()}), r.journal.End()
	}
	if reasons := r.conflicts(subject, schema); len(reasons) > 0 {
		return failure(http.StatusConflict, sr.ErrIncompatibleSchema.Code,
			"Schema being registered is incompatible with an earlier schema for subject %q, details: %s",
			subject, strings.Join(reasons, "; ")), r.journal.End()
	}
	got, position := r.apply(change{Method: http.MethodPost, Target: versionsOf(subject), Body: body})
	if got.status == http.StatusNotFound {
		got = failure(http.StatusUnprocessableEntity, sr.ErrOperationNotPermitted.Code,
			"subject %q is deleted, and this registry cannot revive it: delete it permanently first", subject)
	}
	return got, position
}
