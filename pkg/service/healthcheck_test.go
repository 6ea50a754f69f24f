package service_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/service"
)

// admin answers probes with a status.
func admin(t *testing.T, status int) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked %s", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"database":"away"}`))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAProgramAsksItsServiceWhetherItIsReady(t *testing.T) {
	ready, busy := admin(t, http.StatusOK), admin(t, http.StatusServiceUnavailable)
	for name, test := range map[string]struct{ addr, says string }{
		"ready":                 {strings.TrimPrefix(ready.URL, "http://"), ""},
		"on every address":      {strings.Replace(ready.URL, "http://127.0.0.1", "0.0.0.0", 1), ""},
		"on no address by name": {strings.TrimPrefix(ready.URL, "http://127.0.0.1"), ""},
		"not ready":             {strings.TrimPrefix(busy.URL, "http://"), `503 Service Unavailable: {"database":"away"}`},
		"no address":            {"nowhere", "not host:port"},
		"nobody listens":        {"127.0.0.1:1", "connect"},
		"none, and no default":  {"", "not host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := program(t, "healthcheck")
			cmd.Env = append(cmd.Env, "QUADRILLE_ADMIN_ADDR="+test.addr)
			out, err := cmd.CombinedOutput()
			if (err == nil) != (test.says == "") || !strings.Contains(string(out), test.says) {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestAnAddressForEveryoneIsAskedOnLoopback(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:9081": "http://127.0.0.1:9081/readyz",
		"0.0.0.0:9081":   "http://127.0.0.1:9081/readyz",
		"[::]:9081":      "http://127.0.0.1:9081/readyz",
		":9081":          "http://127.0.0.1:9081/readyz",
		"admin:9081":     "http://admin:9081/readyz",
	} {
		if got, err := service.Readiness(addr); got != want || err != nil {
			t.Errorf("%q: %q (%v)", addr, got, err)
		}
	}
}
