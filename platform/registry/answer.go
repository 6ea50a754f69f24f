package registry

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/quadrille-platform/quadrille/platform/internal/journal"
)

const contentType = "application/vnd.schemaregistry.v1+json"

// reply is an answer that has not been sent.
type reply struct {
	status int
	body   []byte
}

// id returns the schema id of an answered registration or lookup.
func (r reply) id() int {
	var body struct {
		ID int `json:"id"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil {
		return 0
	}
	return body.ID
}

func success(body any) reply { return encode(http.StatusOK, body) }

// failure is an error as clients of Confluent's registry know it.
func failure(status, code int, format string, args ...any) reply {
	return encode(status, struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}{code, fmt.Sprintf(format, args...)})
}

func encode(status int, body any) reply {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("encode an answer of the registry: %v", err)) // only types of this package
	}
	return reply{status, append(encoded, '\n')}
}

// answer sends the reply once all it may be derived from is durable.
func (r *Registry) answer(w http.ResponseWriter, got reply, position journal.Position) {
	if err := r.journal.Wait(position); err != nil {
		r.config.Logger.Error("the schemas cannot be written; restart the registry", slog.Any("error", err))
		got = failure(http.StatusInternalServerError, sr.ErrStoreError.Code, "the registry cannot write its state")
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(got.body)))
	w.WriteHeader(got.status)
	_, _ = w.Write(got.body) // fails only if the caller has left
}
