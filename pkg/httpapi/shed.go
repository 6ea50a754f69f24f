package httpapi

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Limits bound what an API works on at a time. What is beyond them is answered with 503 and Retry-After, and not done.
type Limits struct {
	// Requests is how many are worked on at a time. As many more wait for their turn. 0 is no limit.
	Requests int
	// Wait is how long a request waits for its turn.
	Wait time.Duration
	// Held is how many requests may wait for a change, see [Wait]; they are not worked on meanwhile. One beyond is
	// answered at once with what there is. 0 is no limit.
	Held int
}

// Why something was shed.
const (
	shedFull = "full" // as many as may wait did so
	shedLate = "late" // it waited for its turn in vain
	shedHeld = "held" // no more requests may be held
)

// shedder gives requests their turns.
type shedder struct {
	limits  Limits
	turns   chan struct{} // nil: no limit
	waiting atomic.Int64
	held    atomic.Int64
	shed    metric.Int64Counter
}

func newShedder(limits Limits, meter metric.MeterProvider) *shedder {
	if meter == nil {
		meter = otel.GetMeterProvider()
	}
	counter, err := meter.Meter("quadrille").Int64Counter("quadrille.http.shed", metric.WithDescription(
		"Requests that were not worked on, by reason: full, late, or held, which were answered without waiting."))
	if err != nil {
		otel.Handle(err)
		counter = noop.Int64Counter{}
	}
	for _, reason := range []string{shedFull, shedLate, shedHeld} {
		counter.Add(context.Background(), 0, because(reason)) // or the first would not be seen as a rise
	}
	s := &shedder{limits: limits, shed: counter}
	if limits.Requests > 0 {
		s.turns = make(chan struct{}, limits.Requests)
	}
	return s
}

// middleware lets a request through when it has its turn.
func (s *shedder) middleware(next http.Handler) http.Handler {
	if s.turns == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.await(r.Context()) {
			Unavailable(time.Second).Write(w)
			return
		}
		turn := requestOf(r.Context()).turn
		turn.begin(s)
		defer turn.end()
		next.ServeHTTP(w, r)
	})
}

// await reports whether it is the request's turn now.
func (s *shedder) await(ctx context.Context) bool {
	select {
	case s.turns <- struct{}{}:
		return true
	default:
	}
	if s.waiting.Add(1) > int64(s.limits.Requests) {
		s.waiting.Add(-1)
		s.count(shedFull)
		return false
	}
	defer s.waiting.Add(-1)
	timer := time.NewTimer(s.limits.Wait)
	defer timer.Stop()
	select {
	case s.turns <- struct{}{}:
		return true
	case <-timer.C:
		s.count(shedLate)
	case <-ctx.Done(): // the caller is gone
	}
	return false
}

func (s *shedder) count(reason string) {
	s.shed.Add(context.Background(), 1, because(reason))
}

func because(reason string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String("reason", reason))
}

// turn is that of one request. It ends early if the request waits for a change.
type turn struct {
	mu sync.Mutex
	of *shedder // nil: without limits, or over
}

func (t *turn) begin(s *shedder) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of = s
}

// hold gives the turn back, to wait for a change instead, and reports whether the request may. Release ends that; the
// request then only has to read what there is.
func (t *turn) hold() (release func(), ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.of
	if s == nil {
		return func() {}, true
	}
	if limit := int64(s.limits.Held); s.held.Add(1) > limit && limit > 0 {
		s.held.Add(-1)
		s.count(shedHeld)
		return func() {}, false
	}
	t.of = nil
	<-s.turns
	return sync.OnceFunc(func() { s.held.Add(-1) }), true
}

func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of != nil {
		<-t.of.turns
		t.of = nil
	}
}
