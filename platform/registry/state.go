package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

// change is an accepted write, as the journal keeps it: replayed in order, all of them lead to the same state again.
type change struct {
	Method string          `json:"method"`
	Target string          `json:"target"`
	Body   json.RawMessage `json:"body,omitempty"`
	// ID is what a registration was answered.
	ID int `json:"id,omitempty"`
}

// apply makes the change and hands it to the journal if it was accepted. The caller holds the lock, and waits for the
// position before it answers.
func (r *Registry) apply(c change) (reply, journal.Position) {
	got := r.call(c.Method, c.Target, c.Body)
	if got.status != http.StatusOK {
		return got, r.journal.End()
	}
	if c.Method == http.MethodPost {
		c.ID = got.id()
	}
	line, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("encode a change of the registry: %v", err)) // only types of this file: a programming error
	}
	return got, r.journal.Write(line)
}

// replay makes a change of the journal again, and refuses to go on if it comes out otherwise: whatever reads by the id
// would be misled.
func (r *Registry) replay(line []byte) error {
	var c change
	if err := json.Unmarshal(line, &c); err != nil {
		return err
	}
	got := r.call(c.Method, c.Target, c.Body)
	if got.status != http.StatusOK {
		return fmt.Errorf("%w: %s %s is answered %d now", journal.ErrCorrupt, c.Method, c.Target, got.status)
	}
	if c.Method == http.MethodPost && got.id() != c.ID {
		return fmt.Errorf("%w: %s is given the id %d now, %d before", journal.ErrCorrupt, c.Target, got.id(), c.ID)
	}
	return nil
}

// call asks the registry in memory. The caller holds the lock.
func (r *Registry) call(method, target string, body []byte) reply {
	request, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		return failure(http.StatusBadRequest, http.StatusBadRequest, "the address cannot be understood")
	}
	recorder := httptest.NewRecorder()
	r.fake.Handler().ServeHTTP(recorder, request)
	return reply{recorder.Code, recorder.Body.Bytes()}
}

// level returns how the versions of the subject must be compatible. The caller holds the lock.
func (r *Registry) level(subject string) sr.CompatibilityLevel {
	var config struct {
		Level sr.CompatibilityLevel `json:"compatibilityLevel"`
	}
	got := r.call(http.MethodGet, "/config/"+url.PathEscape(subject), nil)
	if err := json.Unmarshal(got.body, &config); err != nil || config.Level == 0 {
		return r.config.Level
	}
	return config.Level
}

// versions returns the versions of the subject that are not deleted, oldest first. The caller holds the lock.
func (r *Registry) versions(subject string) []sr.SubjectSchema {
	got := r.call(http.MethodGet, versionsOf(subject), nil)
	var numbers []int
	if got.status != http.StatusOK || json.Unmarshal(got.body, &numbers) != nil {
		return nil
	}
	var schemas []sr.SubjectSchema
	for _, number := range numbers {
		if schema, ok := r.fake.GetSchema(subject, number); ok {
			schemas = append(schemas, schema)
		}
	}
	return schemas
}

func subjectOf(subject string) string { return "/subjects/" + url.PathEscape(subject) }

func versionsOf(subject string) string { return subjectOf(subject) + "/versions" }

func versionOf(subject string, version int) string {
	return versionsOf(subject) + "/" + strconv.Itoa(version)
}
