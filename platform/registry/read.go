package registry

import (
	"net/http"
	"strconv"
	"strings"
)

// read answers everything that changes nothing.
func (r *Registry) read(w http.ResponseWriter, req *http.Request) {
	r.mu.RLock()
	got := r.call(req.Method, req.URL.RequestURI(), nil)
	position := r.journal.End()
	r.mu.RUnlock()
	if got.status != http.StatusOK && !strings.HasPrefix(string(got.body), "{") {
		got = failure(got.status, got.status, "there is no such resource")
	}
	r.answer(w, got, position)
}

// number returns the version that the text names: itself, or the latest, 0 if there is none. The caller holds the lock.
func (r *Registry) number(subject, text string) (int, error) {
	if text != "latest" && text != "-1" {
		return strconv.Atoi(text)
	}
	versions := r.versions(subject)
	if len(versions) == 0 {
		return 0, nil
	}
	return versions[len(versions)-1].Version, nil
}
