package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// bodyTime is how long a body may take to arrive.
const bodyTime = 10 * time.Second

// sameOrigin refuses what a browser sends on behalf of another site. Callers that are no browsers are not concerned.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		NewProblem(Forbidden, "The request comes from the page of another site.").Write(w)
	}))
	return protection.Handler(next)
}

// wellFormed refuses paths and queries that decode to what no database takes as text: NUL, or invalid UTF-8. It also
// refuses query parameters without a value, which huma would take for absent ones, whatever their schema says.
func wellFormed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isText(r.URL.Path) {
			NewProblem(Malformed, "", NewField("path", FieldCharacters, "")).Write(w)
			return
		}
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			NewProblem(Malformed, "", NewField("query", FieldSyntax, "")).Write(w)
			return
		}
		var fields, empty []Field
		for name, values := range query {
			name = fieldName("query." + name)
			switch {
			case len(values) > 1: // huma would take the first in silence
				fields = append(fields, NewField(name, FieldDuplicate, ""))
			case !isText(values[0]):
				fields = append(fields, NewField(name, FieldCharacters, ""))
			case values[0] == "":
				empty = append(empty, NewField(name, FieldShort, ""))
			}
		}
		if len(fields) > 0 {
			NewProblem(Malformed, "", fields...).Write(w)
			return
		}
		if len(empty) > 0 {
			NewProblem(Validation, "", empty...).Write(w)
			return
		}
		// Media types are compared without case and parameters (RFC 9110, section 8.3.1), by huma byte for byte.
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil {
			r.Header.Set("Content-Type", kind)
		}
		next.ServeHTTP(w, r)
	})
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// limitBody bounds size and time of a request's body.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > MaxBody {
			w.Header().Set("Connection", "close") // rather than read the rest
			NewProblem(TooLarge, "").Write(w)
			return
		}
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			// Recorders in tests have no deadline to set; then there is none to lift either.
			_ = control.SetReadDeadline(time.Now().Add(bodyTime))
			r.Body = &body{http.MaxBytesReader(w, r.Body, MaxBody), w.Header(), control}
		}
		next.ServeHTTP(w, r)
	})
}

// body lifts the read deadline once it has been read: net/http goes on reading the connection to learn of the caller's
// going, and a deadline that passes then would cancel the request's context under a handler still at work.
type body struct {
	io.ReadCloser
	answer  http.Header
	control *http.ResponseController
}

// Read returns io.EOF or a *Problem at the end.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.answer.Set("Connection", "close") // or the server would wait for the rest
		return n, NewProblem(RequestTimeout, "")
	}
	_ = b.control.SetReadDeadline(time.Time{})
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return n, NewProblem(TooLarge, "")
	}
	if !errors.Is(err, io.EOF) {
		return n, NewProblem(Malformed, "", NewField("body", FieldSyntax, ""))
	}
	return n, io.EOF
}
