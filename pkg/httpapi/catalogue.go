package httpapi

import "net/http"

// Code says which kind of problem it is. It is the end of the problem's type, urn:quadrille:problem:<code>, and never
// changes its meaning.
type Code string

// The problems of this platform. The table below them holds status and title.
const (
	Malformed         Code = "malformed"              // the request cannot be read: broken JSON, UTF-8 or escapes
	Validation        Code = "validation"             // it can be read, and its errors say which fields are refused
	Unauthorized      Code = "unauthorized"           // no credentials, or wrong ones
	Forbidden         Code = "forbidden"              // the caller may not do this
	NoSuchResource    Code = "not-found"              // nothing has this address
	MethodNotAllowed  Code = "method-not-allowed"     // this address has other methods: see the header Allow
	NotAcceptable     Code = "not-acceptable"         // no representation that the caller accepts
	RequestTimeout    Code = "request-timeout"        // the body took too long to arrive
	StateConflict     Code = "conflict"               // the resource's present state forbids it
	KeyReused         Code = "idempotency-key-reused" // the same Idempotency-Key came with another body
	TooLarge          Code = "too-large"              // the body is over MaxBody
	UnsupportedMedia  Code = "unsupported-media-type" // the body is not application/json
	Internal          Code = "internal"               // our fault; the cause is in the service's log
	TryLater          Code = "unavailable"            // not done; may be sent again after the header Retry-After
	typePrefix             = "urn:quadrille:problem:"
	unclassifiedTitle      = "Request refused"
)

// kind is what every problem of one code has in common.
type kind struct {
	status int
	title  string
}

// catalogue is the one place where a code gets its HTTP status.
var catalogue = map[Code]kind{
	Malformed:        {http.StatusBadRequest, "The request cannot be read"},
	Validation:       {http.StatusUnprocessableEntity, "The request is not valid"},
	Unauthorized:     {http.StatusUnauthorized, "Credentials are missing or wrong"},
	Forbidden:        {http.StatusForbidden, "The caller may not do this"},
	NoSuchResource:   {http.StatusNotFound, "Nothing was found at this address"},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "This address has other methods"},
	NotAcceptable:    {http.StatusNotAcceptable, "No acceptable representation"},
	RequestTimeout:   {http.StatusRequestTimeout, "The request took too long to arrive"},
	StateConflict:    {http.StatusConflict, "The present state forbids it"},
	KeyReused:        {http.StatusConflict, "The Idempotency-Key was used for another request"},
	TooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large"},
	UnsupportedMedia: {http.StatusUnsupportedMediaType, "The body must be application/json"},
	Internal:         {http.StatusInternalServerError, "Internal error"},
	TryLater:         {http.StatusServiceUnavailable, "Not done: try again later"},
}

// codeOf returns the code of a bare HTTP status, and false if the catalogue has none.
func codeOf(status int) (Code, bool) {
	if status == http.StatusConflict { // two codes share it; the general one stands for it
		return StateConflict, true
	}
	for code, kind := range catalogue {
		if kind.status == status {
			return code, true
		}
	}
	return "", false
}

// Refusals returns the statuses, besides those of success, with which an operation of the given method may answer, for
// its description: those that the edge gives by itself, and more.
func Refusals(method string, more ...int) []int {
	statuses := []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError,
		http.StatusServiceUnavailable}
	if method != http.MethodGet {
		statuses = append(statuses, http.StatusForbidden, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType)
	}
	return append(statuses, more...)
}
