package httpapi_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

func TestAPanicAfterTheAnswerBeganCutsTheConnection(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		logged  int
	}{
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic(secret)
		}, 1},
		"a handler that aborts": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var logs lockedBuffer
			mux, _ := httpapi.New(httpapi.Config{Title: "Fragile", Logger: slog.New(slog.NewTextHandler(&logs, nil))})
			mux.Get("/", test.handler)
			server := httptest.NewServer(mux)
			defer server.Close()
			response, err := server.Client().Get(server.URL)
			if err == nil {
				response.Body.Close()
				t.Errorf("answered with %d", response.StatusCode)
			}
			if got := strings.Count(logs.String(), "handler panicked"); got != test.logged {
				t.Errorf("logged %d times: %s", got, logs.String())
			}
		})
	}
}
