package service

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

type paidEvent struct{}

func (*paidEvent) EventType() string { return "test.Paid" }

var paidType = serde.Type{
	Name: "test.Paid", Topic: "desk.events", New: func() event.Data { return new(paidEvent) },
	Schema: `{"type":"record","name":"Paid","namespace":"test","fields":[]}`,
}

func TestRegistryIsNamedWithCauseAndCure(t *testing.T) {
	says := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
	serve := func(begin func(*httptest.Server), status int, body string) string {
		server := httptest.NewUnstartedServer(says(status, body))
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		begin(server)
		t.Cleanup(server.Close)
		return server.URL
	}
	plain := func(status int, body string) string { return serve((*httptest.Server).Start, status, body) }
	secure := serve((*httptest.Server).StartTLS, http.StatusOK, "{}")
	const path, schemes, foreigner = "correct the url", "begin the url with http", "answers, but not as a schema registry"
	for name, test := range map[string]struct {
		url     string
		want    string
		refused bool
	}{
		"nobody listens":          {"http://u:hunter2@127.0.0.1:1", "cannot be reached; start it, or " + path, false},
		"TLS where there is none": {strings.Replace(plain(200, "{}"), "http:", "https:", 1), schemes + "://", true},
		"no TLS where it is":      {strings.Replace(secure, "https:", "http:", 1), schemes + "s://", true},
		"an unknown authority":    {secure, "a certificate that is not trusted", true},
		"a wrong password":        {plain(401, `{"error_code":401,"message":"who?"}`), "refuses the user or its password", true},
		"no right to read":        {plain(403, ""), "refuses the user or its password", true},
		"a wrong path":            {plain(404, "<html>no such page"), "path of the url: status 404", true},
		"too much at once":        {plain(429, `{"error_code":42901,"message":"slower"}`), "answers 429; see its log", false},
		"a method not allowed":    {plain(405, ""), foreigner + "; check the path of the url: status 405", true},
		"a server that is ill":    {plain(500, "no storage"), "answers 500; see its log", false},
		"a page instead of JSON": {
			strings.Replace(plain(200, "<html>"), "http://", "http://u:hunter2@", 1), foreigner, true,
		},
		"other JSON":            {plain(200, `["orders"]`), foreigner, true},
		"a page without an end": {plain(200, strings.Repeat(" ", 2<<20)), foreigner, true},
		"a type that it lacks":  {plain(404, `{"error_code":40403,"message":"none"}`), "run `quadrille apply`", false},
	} {
		t.Run(name, func(t *testing.T) {
			registry, err := serde.NewClient(test.url)
			if err != nil {
				t.Fatal(err)
			}
			_, err = serde.New(t.Context(), registry, []serde.Type{paidType})
			err = Config{RegistryURL: test.url}.registryCure(err)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not say %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "<html>") {
				t.Errorf("error %q repeats the password, or a page", err)
			}
			if refused(err) != test.refused {
				t.Errorf("error %q: refused %t, want %t", err, refused(err), test.refused)
			}
			named := strings.Contains(err.Error(), "QUADRILLE_REGISTRY_URL: ") &&
				strings.Contains(err.Error(), "127.0.0.1:")
			if named == strings.Contains(err.Error(), "quadrille apply") {
				t.Errorf("error %q names the variable: %t", err, named)
			}
		})
	}
}
