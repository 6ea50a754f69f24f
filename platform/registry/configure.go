package registry

import (
	"net/http"
	"net/url"

	"github.com/twmb/franz-go/pkg/sr"
)

// configure sets the compatibility level of a subject or, without one, of all that have none of their own.
func (r *Registry) configure(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Level string `json:"compatibility"`
	}
	if refused := readBody(w, req, &body); refused != nil {
		r.answer(w, *refused, 0)
		return
	}
	var level sr.CompatibilityLevel
	if err := level.UnmarshalText([]byte(body.Level)); err != nil || level == 0 {
		r.answer(w, failure(http.StatusUnprocessableEntity, sr.ErrInvalidCompatibilityLevel.Code,
			"the compatibility level must be NONE, or BACKWARD, FORWARD or FULL, these also with _TRANSITIVE"), 0)
		return
	}
	r.change(w, change{Method: http.MethodPut, Target: configOf(req.PathValue("subject")),
		Body: encode(http.StatusOK, map[string]sr.CompatibilityLevel{"compatibility": level}).body})
}

// unconfigure makes a subject follow the level of all again.
func (r *Registry) unconfigure(w http.ResponseWriter, req *http.Request) {
	r.change(w, change{Method: http.MethodDelete, Target: configOf(req.PathValue("subject"))})
}

func (r *Registry) change(w http.ResponseWriter, c change) {
	r.mu.Lock()
	got, position := r.apply(c)
	r.mu.Unlock()
	r.answer(w, got, position)
}

func configOf(subject string) string {
	if subject == "" {
		return "/config"
	}
	return "/config/" + url.PathEscape(subject)
}
