package httpapi_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

// serve starts a server and returns its address, the function that ends it, and the channel of its result.
func serve(t *testing.T, handler http.HandlerFunc, drain time.Duration) (string, context.CancelFunc, <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- httpapi.Serve(ctx, listener, handler, drain) }()
	t.Cleanup(stop)
	return "http://" + listener.Addr().String(), stop, served
}

type reply struct {
	body string
	err  error
}

func get(url string) <-chan reply {
	replies := make(chan reply, 1)
	go func() {
		response, err := http.Get(url)
		if err != nil {
			replies <- reply{err: err}
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		replies <- reply{string(text), err}
	}()
	return replies
}

func TestDrainingEndsWaitsAndLetsRequestsFinish(t *testing.T) {
	entered := make(chan struct{})
	url, stop, served := serve(t, func(w http.ResponseWriter, r *http.Request) {
		waiting, cancel := httpapi.Wait("30s").Context(r.Context())
		defer cancel()
		close(entered)
		<-waiting.Done()
		if r.Context().Err() != nil {
			return // the request itself was cut off
		}
		_, _ = io.WriteString(w, "as it stands")
	}, 10*time.Second)

	replies := get(url)
	<-entered
	stop()
	if got := <-replies; got.err != nil || got.body != "as it stands" {
		t.Errorf("got %q, %v", got.body, got.err)
	}
	if err := <-served; err != nil {
		t.Errorf("a clean drain returned %v", err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the listener is still open")
	}
}

func TestDrainingCutsOffWhatTakesTooLong(t *testing.T) {
	entered := make(chan struct{})
	url, stop, served := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}, time.Millisecond)
	replies := get(url)
	<-entered
	stop()
	if err := <-served; err == nil {
		t.Error("a drain that cut a request off returned nil")
	}
	if got := <-replies; got.err == nil {
		t.Errorf("the request was answered: %q", got.body)
	}
}

func TestServeSaysWhatFailed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = httpapi.Serve(t.Context(), listener, http.NotFoundHandler(), 0)
	if err == nil || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

func TestWaitEndsByItselfWithoutAServer(t *testing.T) {
	waiting, cancel := httpapi.Wait("1ms").Context(t.Context())
	defer cancel()
	<-waiting.Done()
	if t.Context().Err() != nil || httpapi.Wait("").Duration() != 0 {
		t.Error("waiting ended the request, or an empty wait is none")
	}
}

// deadlines records the read deadlines that a handler's connection was given.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

// A deadline still standing while the handler works would cancel its context.
func TestTheReadDeadlineIsLiftedOnceTheBodyIsRead(t *testing.T) {
	mux, _ := httpapi.New(httpapi.Config{Title: "Slow"})
	writer := &deadlines{ResponseWriter: httptest.NewRecorder()}
	mux.Post("/", func(_ http.ResponseWriter, r *http.Request) {
		if len(writer.set) != 1 || writer.set[0].IsZero() {
			t.Errorf("before the body is read: %v", writer.set)
		}
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		if len(writer.set) != 2 || !writer.set[1].IsZero() {
			t.Errorf("after the body is read: %v", writer.set)
		}
	})
	mux.ServeHTTP(writer, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}")))
	if len(writer.set) == 0 {
		t.Error("the handler was not reached, or had no deadline")
	}
}
