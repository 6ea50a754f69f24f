package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

const longEnough = 30 * time.Second

// limited is an API under limits. Its requests take until they are let go.
type limited struct {
	url    string
	reader *metric.ManualReader
	begun  chan struct{}
	letGo  chan struct{}
}

func newLimited(t *testing.T, limits httpapi.Limits) *limited {
	t.Helper()
	l := &limited{reader: metric.NewManualReader(), begun: make(chan struct{}, 1000), letGo: make(chan struct{})}
	mux, api := httpapi.New(httpapi.Config{
		Title: "Limited", Limits: limits, Logger: slog.New(slog.DiscardHandler),
		Meter: metric.NewMeterProvider(metric.WithReader(l.reader)),
	})
	mux.Get("/plain", func(w http.ResponseWriter, _ *http.Request) {
		l.begun <- struct{}{}
		<-l.letGo
		_, _ = io.WriteString(w, "done")
	})
	huma.Get(api, "/poll", func(ctx context.Context, in *httpapi.LongPoll) (*struct{}, error) {
		waiting, cancel := in.Wait.Context(ctx)
		defer cancel()
		l.begun <- struct{}{}
		select {
		case <-waiting.Done():
		case <-l.letGo:
		}
		return nil, nil
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// ask returns the status of a request once it is answered.
func (l *limited) ask(t *testing.T, path string) <-chan int {
	t.Helper()
	statuses := make(chan int, 1)
	go func() {
		response, err := http.Get(l.url + path)
		if err != nil {
			t.Error(err)
			statuses <- 0
			return
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable && (response.Header.Get("Retry-After") != "1" ||
			response.Header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("shed with %v", response.Header)
		}
		statuses <- response.StatusCode
	}()
	return statuses
}

// shed returns how many requests were, by reason.
func (l *limited) shed(t *testing.T) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := l.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	shed := make(map[string]int64)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "quadrille.http.shed" {
				for _, point := range sum.DataPoints {
					reason, _ := point.Attributes.Value("reason")
					shed[reason.AsString()] = point.Value
				}
			}
		}
	}
	return shed
}

func TestRequestsWaitForTheirTurnAndAreShedWhenItDoesNotCome(t *testing.T) {
	l := newLimited(t, httpapi.Limits{Requests: 2, Wait: 50 * time.Millisecond})
	first, second := l.ask(t, "/plain"), l.ask(t, "/plain")
	<-l.begun
	<-l.begun
	if status := <-l.ask(t, "/plain"); status != http.StatusServiceUnavailable {
		t.Errorf("one that waited in vain: %d", status)
	}
	if shed := l.shed(t); shed["full"] != 0 || shed["late"] != 1 || shed["held"] != 0 {
		t.Errorf("shed %v", shed)
	}
	close(l.letGo)
	for _, answered := range []<-chan int{first, second} {
		if status := <-answered; status != http.StatusOK {
			t.Errorf("one that had its turn: %d", status)
		}
	}
	if status := <-l.ask(t, "/plain"); status != http.StatusOK {
		t.Errorf("one after them: %d", status)
	}
}

func TestOfThoseThatWaitNoneIsMadeToWaitForEver(t *testing.T) {
	l := newLimited(t, httpapi.Limits{Requests: 2, Wait: longEnough})
	var answered []<-chan int
	for range 20 {
		answered = append(answered, l.ask(t, "/plain"))
	}
	statuses := make(map[int]int)
	var collected sync.WaitGroup
	var mu sync.Mutex
	refused := make(chan struct{}, len(answered))
	for _, answer := range answered {
		collected.Go(func() {
			status := <-answer
			mu.Lock()
			statuses[status]++
			mu.Unlock()
			if status == http.StatusServiceUnavailable {
				refused <- struct{}{}
			}
		})
	}
	for range 16 { // two at work, two that wait: the rest is told at once
		<-refused
	}
	close(l.letGo)
	collected.Wait()
	if statuses[http.StatusOK] != 4 || statuses[http.StatusServiceUnavailable] != 16 {
		t.Errorf("statuses %v", statuses)
	}
	if shed := l.shed(t); shed["full"] != 16 || shed["late"] != 0 || shed["held"] != 0 {
		t.Errorf("shed %v", shed)
	}
}

func TestHeldRequestsTakeNobodysTurn(t *testing.T) {
	l := newLimited(t, httpapi.Limits{Requests: 1, Wait: longEnough, Held: 2})
	var held []<-chan int
	for range 2 {
		held = append(held, l.ask(t, "/poll?wait=30s"))
		<-l.begun
	}
	began := time.Now()
	if status := <-l.ask(t, "/poll?wait=30s"); status != http.StatusNoContent || time.Since(began) > longEnough/2 {
		t.Errorf("one too many was answered with %d after %s", status, time.Since(began))
	}
	<-l.begun
	plain := l.ask(t, "/plain")
	<-l.begun
	close(l.letGo)
	for _, answer := range append(held, plain) {
		if status := <-answer; status != http.StatusNoContent && status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if status := <-l.ask(t, "/poll?wait=1ms"); status != http.StatusNoContent { // there is room again
		t.Errorf("status %d", status)
	}
	if shed := l.shed(t); shed["full"] != 0 || shed["late"] != 0 || shed["held"] != 1 {
		t.Errorf("shed %v", shed)
	}
}

// TestAFloodIsAnsweredInTime has far more callers than turns: most are shed, and who is not is answered within the wait
// and the time of the work.
func TestAFloodIsAnsweredInTime(t *testing.T) {
	const callers, each, takes, wait = 200, 5, 5 * time.Millisecond, 50 * time.Millisecond
	var working, most, done atomic.Int64
	mux, _ := httpapi.New(httpapi.Config{
		Title: "Flooded", Limits: httpapi.Limits{Requests: 4, Wait: wait}, Logger: slog.New(slog.DiscardHandler),
	})
	mux.Get("/", func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), working.Add(1)))
		<-time.After(takes)
		done.Add(1)
		working.Add(-1)
	})
	var mu sync.Mutex
	var slowest time.Duration
	statuses := make(map[int]int64)
	var calling sync.WaitGroup
	for range callers {
		calling.Go(func() {
			for range each {
				began, answer := time.Now(), httptest.NewRecorder()
				mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
				mu.Lock()
				statuses[answer.Code]++
				if answer.Code == http.StatusOK {
					slowest = max(slowest, time.Since(began))
				}
				mu.Unlock()
			}
		})
	}
	calling.Wait()
	if most.Load() > 4 {
		t.Errorf("%d were worked on at a time, want 4 at most", most.Load())
	}
	if statuses[http.StatusOK] != done.Load() || statuses[http.StatusServiceUnavailable] == 0 ||
		statuses[http.StatusOK]+statuses[http.StatusServiceUnavailable] != callers*each {
		t.Errorf("statuses %v, %d done", statuses, done.Load())
	}
	if slowest > wait+10*time.Second { // a machine that does something else has its time
		t.Errorf("one was answered after %s", slowest)
	}
	t.Logf("statuses %v, the slowest that was done took %s", statuses, slowest)
}

// TestARequestThatTakesTooLongEnds: its context does, so that what it waits for lets it go.
func TestARequestThatTakesTooLongEnds(t *testing.T) {
	for path, want := range map[string]time.Duration{"/": 20 * time.Second, "/?wait=5s": 50 * time.Second} {
		mux, _ := httpapi.New(httpapi.Config{Title: "Slow"})
		mux.Get("/", func(_ http.ResponseWriter, r *http.Request) {
			deadline, ok := r.Context().Deadline()
			if left := time.Until(deadline); !ok || left > want || left < want-time.Second {
				t.Errorf("%s has %s left, want %s", path, left, want)
			}
		})
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
}
