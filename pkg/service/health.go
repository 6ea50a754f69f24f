package service

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"os"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

const (
	// partStart is what no request can be served without.
	partStart = "start"
	// partTopics is what nothing can be consumed or published without.
	partTopics = "topics"
)

// health knows what a service waits for and how its parts fare, and serves the admin listener.
type health struct {
	name string
	cfg  Config
	tel  *telemetry.Telemetry
	// started is when this process began to be the service.
	started time.Time
	// operations are those of the admin API.
	operations operations

	mu      sync.Mutex
	waiting map[string]error // what is waited for, by part
	checks  []check
	ready   bool // once it was, all of it
}

// check of a part. While only parts that are not vital are at fault, commands and queries are answered.
type check struct {
	name  string
	vital bool
	fn    func() error
}

func newHealth(name string, cfg Config, tel *telemetry.Telemetry) *health {
	return &health{
		name: name, cfg: cfg, tel: tel, started: event.Now(cfg.Clock),
		waiting: map[string]error{partStart: errors.New("starting")},
	}
}

// check adds a condition of readiness.
func (h *health) check(name string, fn func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, check{name, true, fn})
}

// watch adds a condition of becoming ready. Its fault later on is told, and changes nothing else.
func (h *health) watch(name string, fn func() error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, check{name, false, fn})
}

// await calls try until it succeeds or ctx ends, and says what it waits for: at once to those who probe, in the log
// when the failure is another, and again now and then. The part stays not ready until done is called, for it may have
// to wait for more.
func (h *health) await(ctx context.Context, part, what string, try func() error) error {
	h.waitFor(part, fmt.Errorf("waiting for %s", what))
	said := newSaid(h.tel.Logger)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := try()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		said.waiting(what, err) // first: who reads it from the probe finds it in the log
		h.waitFor(part, fmt.Errorf("waiting for %s: %w", what, err))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (h *health) waitFor(part string, what error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting[part] = what
}

// done says that a part waits for nothing any more.
func (h *health) done(part string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.waiting, part)
}

// readiness is the answer to a probe: 200 and nothing if all is well, else what is at fault, by part. A service that
// has never been ready is not before all of it is: a release that finds no broker must not replace one that does. From
// then on only what no request can be answered without takes it out of service; with any other fault it is degraded.
func (h *health) readiness() (status int, faults map[string]string) {
	faults = make(map[string]string)
	h.mu.Lock()
	vital := h.waiting[partStart] != nil
	for part, what := range h.waiting {
		faults[part] = what.Error()
	}
	checks := h.checks
	h.mu.Unlock()
	for _, c := range checks {
		if err := c.fn(); err != nil {
			faults[c.name] = err.Error()
			vital = vital || c.vital
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = h.ready || len(faults) == 0
	switch {
	case len(faults) == 0:
		return http.StatusOK, faults
	case vital || !h.ready:
		return http.StatusServiceUnavailable, faults
	}
	faults["status"] = "degraded"
	return http.StatusOK, faults
}

// serve runs fn beside the admin listener, which starts first and stops last.
func (h *health) serve(ctx context.Context, fn func(context.Context) error) error {
	listener, err := h.cfg.listen(h.cfg.AdminAddr, "the admin listener of "+h.name, "QUADRILLE_ADMIN_ADDR")
	if err != nil {
		return err
	}
	serveCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- httpapi.Serve(serveCtx, listener, h.mux(), time.Second) }()
	err = fn(ctx)
	stop()
	if drained := <-served; drained != nil { // which is no failure of the service
		h.tel.Logger.Warn("admin listener", "error", drained)
	}
	return err
}

func (h *health) mux() http.Handler {
	mux, _ := httpapi.New(httpapi.Config{
		Title: h.name + " admin", WithoutDocs: true, Logger: h.tel.Logger, Tracer: nil, Meter: nil,
	})
	mux.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]string{}) })
	mux.Get("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		status, faults := h.readiness()
		answer(w, status, faults)
	})
	mux.Group(func(r chi.Router) {
		r.Use(h.authorize)
		r.Method(http.MethodGet, "/metrics", h.tel.Metrics)
		r.Get("/debug/pprof/", pprof.Index)
		r.Get("/debug/pprof/{profile}", pprof.Index)
		r.Get("/debug/pprof/profile", pprof.Profile)
		r.Get("/debug/pprof/trace", pprof.Trace)
		for _, path := range []string{"/admin/*", "/openapi.json", "/docs", "/docs/*"} {
			r.Handle(path, &h.operations)
		}
		r.Get("/version", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]any{
				"service": h.name, "version": h.cfg.Version, "revision": h.cfg.Revision,
				"pid": os.Getpid(), "started_at": h.started,
			})
		})
	})
	return mux
}

// authorize asks for the bearer token, if there is one.
func (h *health) authorize(next http.Handler) http.Handler {
	if h.cfg.AdminToken == "" {
		return next
	}
	want := []byte("Bearer " + h.cfg.AdminToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			httpapi.NewProblem(httpapi.Unauthorized, "").Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a failed write means that the caller is gone
}
