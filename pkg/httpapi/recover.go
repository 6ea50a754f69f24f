package httpapi

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/go-chi/chi/v5/middleware"
)

// recoverer answers a panic with a bare 500 and logs it once, with its stack. If the answer has begun, the connection
// is cut instead, so that the caller does not take half an answer for a whole one.
func recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
				panic(cause)
			}
			requestOf(r.Context()).logger.ErrorContext(r.Context(), "handler panicked",
				"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			if answer.Status() != 0 {
				panic(http.ErrAbortHandler)
			}
			NewProblem(Internal, "").Write(answer)
		}()
		next.ServeHTTP(answer, r)
	})
}
