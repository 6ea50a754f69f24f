package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const problemType = "application/problem+json"

// Problem is what a refused request is answered with (RFC 9457). It is an error, so that handlers return it; its text
// is written for the caller and holds neither what was sent nor the words of any other error.
type Problem struct {
	Type   string  `json:"type" format:"uri" doc:"The kind, stable" example:"urn:quadrille:problem:validation"`
	Title  string  `json:"title" doc:"The kind in words, the same for every problem of one type"`
	Status int     `json:"status" doc:"The HTTP status"`
	Detail string  `json:"detail,omitempty" required:"false" doc:"What is peculiar to this one"`
	Errors []Field `json:"errors,omitempty" required:"false" doc:"The fields at fault, at most 20 of them"`

	headers http.Header
}

// NewProblem returns a problem of the given kind. Detail is shown to the caller and may be empty. It panics if the
// catalogue does not hold the code.
func NewProblem(code Code, detail string, fields ...Field) *Problem {
	kind, ok := catalogue[code]
	if !ok {
		panic(fmt.Sprintf("httpapi: no problem has the code %q", code))
	}
	return &Problem{
		Type:   typePrefix + string(code),
		Title:  kind.title,
		Status: kind.status,
		Detail: detail,
		Errors: first(fields),
	}
}

// Invalid refuses one field, such as "lines[1].quantity". An empty message stands for the usual words of the code.
func Invalid(field string, code FieldCode, message string) *Problem {
	return NewProblem(Validation, "", NewField(field, code, message))
}

// NotFound says that nothing has this address. Detail may name what, such as "No order has this id."
func NotFound(detail string) *Problem { return NewProblem(NoSuchResource, detail) }

// Conflict says that the present state of the resource forbids what was asked.
func Conflict(detail string) *Problem { return NewProblem(StateConflict, detail) }

// Reused refuses an Idempotency-Key that came before with another body.
func Reused() *Problem {
	return NewProblem(KeyReused, "", NewField(IdempotencyHeader, FieldReused, ""))
}

// DoneUnread says that what was asked is done, and that its outcome could not be read back for the cause, which is
// logged.
func DoneUnread(cause error) error { return unread{cause.Error()} }

// unread hides its cause, which may be a Problem that says that nothing was done.
type unread struct{ cause string }

// Error implements error.
func (u unread) Error() string { return "done, but not read back: " + u.cause }

// Unavailable says that nothing was done and that the same request may be sent again after the given time, which is
// rounded up to whole seconds and is at least one.
func Unavailable(after time.Duration) *Problem {
	seconds := max(1, (after+time.Second-1)/time.Second)
	p := NewProblem(TryLater, "")
	p.headers = http.Header{"Retry-After": {strconv.FormatInt(int64(seconds), 10)}}
	return p
}

// Error returns the words of the problem and the fields at fault.
func (p *Problem) Error() string {
	text := p.Title
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	for _, field := range p.Errors {
		text += "; " + field.Error()
	}
	return text
}

// GetStatus returns the HTTP status; huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers to be sent with it; huma asks for them.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType returns application/problem+json, whatever was negotiated; huma asks for it.
func (*Problem) ContentType(string) string { return problemType }

// Write answers a request with the problem, for handlers that are not huma's.
func (p *Problem) Write(w http.ResponseWriter) {
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	// Strings always marshal, and a failed write means that the caller is gone: there is nothing left to do.
	_ = encode(w, p)
}
