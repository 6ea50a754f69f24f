package registry

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/sr"
)

const bodySize = 1 << 20

// readSchema returns the schema of the request, or what to answer because it holds none that can be kept.
func (r *Registry) readSchema(w http.ResponseWriter, req *http.Request) (string, *reply) {
	var body struct {
		Schema     string            `json:"schema"`
		Type       string            `json:"schemaType"`
		References []json.RawMessage `json:"references"`
		ID         int               `json:"id"`
	}
	if refused := readBody(w, req, &body); refused != nil {
		return "", refused
	}
	refuse := func(format string, args ...any) (string, *reply) {
		refused := failure(http.StatusUnprocessableEntity, sr.ErrInvalidSchema.Code, format, args...)
		return "", &refused
	}
	switch {
	case body.Type != "" && !strings.EqualFold(body.Type, "AVRO"):
		return refuse("this registry keeps Avro schemas only")
	case len(body.References) > 0:
		return refuse("this registry keeps self-contained schemas only: put the referenced types into the schema")
	case body.ID > 0:
		return refuse("this registry gives the ids itself")
	}
	// What cannot be read with itself cannot be parsed.
	if err := r.config.Compatible(body.Schema, body.Schema); err != nil {
		return refuse("the schema is not a valid Avro schema: %v", err)
	}
	return body.Schema, nil
}

// readBody decodes a JSON object, or returns what to answer because there is none. Members it does not know are passed
// over, as clients send some that mean nothing here.
func readBody(w http.ResponseWriter, req *http.Request, into any) *reply {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, bodySize))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		refused := failure(http.StatusRequestEntityTooLarge, http.StatusRequestEntityTooLarge,
			"the request body is larger than %d bytes", bodySize)
		return &refused
	}
	if err != nil || json.Unmarshal(body, into) != nil {
		refused := failure(http.StatusUnprocessableEntity, http.StatusUnprocessableEntity,
			"the request body is not the JSON object expected here")
		return &refused
	}
	return nil
}

func requestBody(schema string) []byte {
	return encode(http.StatusOK, map[string]string{"schema": schema}).body
}
