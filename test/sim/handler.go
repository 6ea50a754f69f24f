package sim

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// trouble is what can happen to a request.
type trouble int

const (
	failing   trouble = iota // 500, and nothing is done
	hanging                  // never answered, and nothing is done
	losing                   // the connection ends, and nothing is done
	silencing                // done, and the answer lost
	doubling                 // done twice, as by a proxy that repeats
	delaying                 // done late, whether its caller still waits or not
)

// Handler is what can happen to a request on its way to a server, and to the answer on its way back.
type Handler struct {
	inner http.Handler
	world *World

	mu     sync.Mutex
	faults map[*Fault]trouble
}

func newHandler(inner http.Handler, world *World) *Handler {
	return &Handler{inner: inner, world: world, faults: make(map[*Fault]trouble)}
}

func onGateway(t trouble) func(*World, Fault) {
	return func(w *World, f Fault) { w.parts.gatewayFaults.suffer(t, f) }
}

func onRegistry(t trouble) func(*World, Fault) {
	return func(w *World, f Fault) { w.parts.registryFaults.suffer(t, f) }
}

// suffer has requests meet a trouble for a while.
func (h *Handler) suffer(t trouble, f Fault) {
	h.mu.Lock()
	h.faults[&f] = t
	h.mu.Unlock()
	h.world.sleep(f.For)
	h.mu.Lock()
	delete(h.faults, &f)
	h.mu.Unlock()
}

// met returns the trouble that a request meets.
func (h *Handler) met() (t trouble, f Fault, met bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f, t := range h.faults {
		if h.world.chance(f.Rate) {
			h.world.hit(f.Kind)
			return t, *f, true
		}
	}
	return 0, Fault{}, false
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t, f, met := h.met()
	if !met {
		h.inner.ServeHTTP(w, r)
		return
	}
	// Who has not read the body is not told that the caller has left.
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	switch t {
	case failing:
		http.Error(w, "out of order", http.StatusInternalServerError)
	case hanging:
		<-r.Context().Done()
	case losing:
		panic(http.ErrAbortHandler)
	case silencing:
		h.inner.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case doubling:
		for _, to := range []http.ResponseWriter{httptest.NewRecorder(), w} {
			r.Body = io.NopCloser(bytes.NewReader(body))
			h.inner.ServeHTTP(to, r)
		}
	case delaying:
		time.Sleep(f.By) // the caller may have given up by then
		h.inner.ServeHTTP(w, r)
	}
}

// server answers HTTP on a host.
type server struct {
	http *http.Server
	host *Host
	done chan struct{}
}

func serveHTTP(host *Host, addr string, handler http.Handler, logger *slog.Logger) (*server, error) {
	l, err := host.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &server{host: host, done: make(chan struct{}), http: &http.Server{
		Handler: handler, ReadHeaderTimeout: within, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l)
	}()
	return s, nil
}

func (s *server) close() error {
	s.host.Cut()
	err := s.http.Close()
	<-s.done
	return err
}
