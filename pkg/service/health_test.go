package service

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

func newTestHealth(t *testing.T, cfg Config) *health {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: "order", LogTo: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return newHealth("order", cfg, tel)
}

// probe returns the status of path and its answer.
func probe(h http.Handler, path, authorization string) (int, map[string]string) {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	response := httptest.NewRecorder()
	h.ServeHTTP(response, request)
	answer := make(map[string]string)
	_ = json.Unmarshal(response.Body.Bytes(), &answer) // what is no such object leaves it empty
	return response.Code, answer
}

func TestReadinessSaysWhatItWaitsFor(t *testing.T) {
	h := newTestHealth(t, good())
	mux := h.mux()
	ready := func(want int, faults map[string]string) {
		t.Helper()
		status, got := probe(mux, "/readyz", "")
		if status != want {
			t.Errorf("status %d, want %d", status, want)
		}
		if diff := cmp.Diff(faults, got); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
		if status, _ := probe(mux, "/livez", ""); status != http.StatusOK {
			t.Errorf("/livez %d, though it lives", status)
		}
	}

	ready(503, map[string]string{"start": "starting"})
	tries := 0
	err := h.await(t.Context(), partStart, "database", func() error {
		if tries++; tries == 1 {
			ready(503, map[string]string{"start": "waiting for database"})
			return errors.New("connection refused")
		}
		ready(503, map[string]string{"start": "waiting for database: connection refused"})
		return nil
	})
	if err != nil || tries != 2 {
		t.Fatalf("error %v after %d tries", err, tries)
	}
	h.check("relay", func() error { return nil })
	ready(503, map[string]string{"start": "waiting for database: connection refused"}) // there may be more to come
	h.done(partStart)
	ready(200, map[string]string{})
	broken := errors.New("partition 3 is stopped")
	h.check("consumer", func() error { return broken })
	ready(503, map[string]string{"consumer": "partition 3 is stopped"})
	broken = nil
	ready(200, map[string]string{})
}

// TestReadinessOnceReady: what only events need leaves a service that was ready in service. One that never was waits for
// all of it.
func TestReadinessOnceReady(t *testing.T) {
	h := newTestHealth(t, good())
	mux := h.mux()
	var group, database error
	h.watch("consumer", func() error { return group })
	h.check("database", func() error { return database })
	away, gone := errors.New("the coordinator is away"), errors.New("the database is gone")
	for _, step := range []struct {
		what            string
		group, database error
		status          int
		faults          map[string]string
	}{
		{"not begun", away, nil, 503, map[string]string{"start": "starting", "consumer": away.Error()}},
		{"never ready", away, nil, 503, map[string]string{"consumer": away.Error()}},
		{"ready", nil, nil, 200, map[string]string{}},
		{"degraded", away, nil, 200, map[string]string{"status": "degraded", "consumer": away.Error()}},
		{"both", away, gone, 503, map[string]string{"consumer": away.Error(), "database": gone.Error()}},
		{"not ready", nil, gone, 503, map[string]string{"database": gone.Error()}},
		{"ready again", nil, nil, 200, map[string]string{}},
	} {
		if step.what == "never ready" {
			h.done(partStart)
		}
		group, database = step.group, step.database
		status, faults := probe(mux, "/readyz", "")
		if status != step.status {
			t.Errorf("%s: %d, want %d", step.what, status, step.status)
		}
		if diff := cmp.Diff(step.faults, faults); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

// TestReadinessIsMeasured: whoever scrapes sees what /readyz answers, though nobody asked it.
func TestReadinessIsMeasured(t *testing.T) {
	h := newTestHealth(t, good())
	if err := h.observe(h.tel.Meter.Meter("test")); err != nil {
		t.Fatal(err)
	}
	var group, database error
	h.watch("consumer", func() error { return group })
	h.check("database", func() error { return database })
	want := func(what string, ready, degraded string) {
		t.Helper()
		scrape := httptest.NewRecorder()
		h.mux().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		for name, value := range map[string]string{"quadrille_ready": ready, "quadrille_degraded": degraded} {
			if !regexp.MustCompile(`(?m)^` + name + `\{[^}]*\} ` + value + `$`).Match(scrape.Body.Bytes()) {
				t.Errorf("%s: no %s of %s in\n%s", what, name, value, scrape.Body)
			}
		}
	}
	want("starting", "0", "0")
	h.done(partStart)
	want("ready", "1", "0")
	group = errors.New("the coordinator is away")
	want("degraded", "1", "1")
	database = errors.New("the database is gone")
	want("not ready", "0", "0")
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	h := newTestHealth(t, good())
	ctx, cancel := context.WithCancel(t.Context())
	err := h.await(ctx, "topics", "topics", func() error {
		cancel()
		return errors.New("none")
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestTokenGuardsAllButTheProbes(t *testing.T) {
	cfg := good()
	cfg.AdminToken, cfg.Version = "secret", "1.2.3"
	mux := newTestHealth(t, cfg).mux()
	for _, path := range []string{"/metrics", "/version"} {
		for authorization, want := range map[string]int{
			"": 401, "Bearer wrong": 401, "secret": 401, "Bearer secret ": 401, "Bearer secret": 200,
		} {
			if got, _ := probe(mux, path, authorization); got != want {
				t.Errorf("%s with %q: %d, want %d", path, authorization, got, want)
			}
		}
	}
	if status, _ := probe(mux, "/livez", ""); status != http.StatusOK {
		t.Errorf("/livez %d", status)
	}
	if status, _ := probe(mux, "/readyz", ""); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz %d", status)
	}
}

func TestVersionTellsWhichProcessAnswers(t *testing.T) {
	cfg := good()
	cfg.Version, cfg.Revision, cfg.Clock = "1.2.3", "6e87f4d", func() time.Time { return time.Unix(1_800_000_000, 0) }
	response := httptest.NewRecorder()
	newTestHealth(t, cfg).mux().ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/version", nil))
	want := map[string]any{
		"service": "order", "version": "1.2.3", "revision": "6e87f4d", "pid": float64(os.Getpid()),
		"started_at": "2027-01-15T08:00:00Z",
	}
	var got map[string]any
	if err := json.Unmarshal(response.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("version (-want +got):\n%s", diff)
	}
}

// freeAddr returns an address where nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestAdminListenerOutlivesTheService(t *testing.T) {
	cfg := good()
	cfg.AdminAddr = freeAddr(t)
	h := newTestHealth(t, cfg)
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	err := h.serve(ctx, func(ctx context.Context) error {
		cancel()
		response, err := http.Get("http://" + cfg.AdminAddr + "/livez")
		if err != nil {
			t.Error(err)
			return broken
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("/livez %d while the service stops", response.StatusCode)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if _, err := net.Dial("tcp", cfg.AdminAddr); err == nil {
		t.Error("it listens still")
	}
}

func TestAdminListenerThatCannotListenStopsTheService(t *testing.T) {
	cfg := good()
	cfg.AdminAddr = "256.0.0.1:1"
	err := newTestHealth(t, cfg).serve(t.Context(), func(context.Context) error {
		t.Error("the service was started")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "QUADRILLE_ADMIN_ADDR") {
		t.Errorf("error %v", err)
	}
}
