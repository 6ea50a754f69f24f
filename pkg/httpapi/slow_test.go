package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

// pipe is a listener whose connections are in memory, so that their time is virtual.
type pipe struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc
}

func newPipe() *pipe {
	closed, cancel := context.WithCancel(context.Background())
	return &pipe{make(chan net.Conn), closed, cancel}
}

func (l *pipe) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed.Done():
		return nil, net.ErrClosed
	}
}

func (l *pipe) Close() error   { l.close(); return nil }
func (l *pipe) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipe) dial() net.Conn {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return ours
}

// TestSlowCallersAreCutOff: one that sends too slowly, or does not read its answer, holds a connection for so long and
// no longer.
func TestSlowCallersAreCutOff(t *testing.T) {
	const post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
	for name, test := range map[string]struct {
		sends  string
		reads  bool
		status int // of the answer, 0 if there is none
		within time.Duration
	}{
		"it sends half a header": {"GET / HTTP/1.1\r\nHost:", true, 0, 5 * time.Second},
		"it sends half a body":   {post + `{"a":`, true, http.StatusRequestTimeout, 10 * time.Second},
		"it sends half a body, which nobody reads": {strings.Replace(post, "echo", "unread", 1) + `{"a":`, true,
			http.StatusNoContent, 10 * time.Second},
		"it asks no more":               {"GET /short HTTP/1.1\r\nHost: a\r\n\r\n", true, http.StatusOK, 2 * time.Minute},
		"it does not read what it gets": {"GET /long HTTP/1.1\r\nHost: a\r\n\r\n", false, 0, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mux, _ := httpapi.New(httpapi.Config{Title: "Patient", Logger: slog.New(slog.DiscardHandler)})
				mux.Post("/echo", func(w http.ResponseWriter, r *http.Request) {
					_, err := io.ReadAll(r.Body)
					if problem, ok := errors.AsType[*httpapi.Problem](err); ok {
						problem.Write(w)
					}
				})
				mux.Post("/unread", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
				mux.Get("/short", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "short") })
				mux.Get("/long", func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, strings.Repeat("long", 1<<20))
				})
				ctx, stop := context.WithCancel(t.Context())
				l, served := newPipe(), make(chan error, 1)
				go func() { served <- httpapi.Serve(ctx, l, mux, time.Second) }()

				conn := l.dial()
				began := time.Now()
				if _, err := io.WriteString(conn, test.sends); err != nil {
					t.Fatal(err)
				}
				if !test.reads {
					<-time.After(test.within + time.Second) // not one byte of a megabyte
				}
				reader := bufio.NewReader(conn)
				if test.status > 0 {
					answer, err := http.ReadResponse(reader, nil)
					if err != nil || answer.StatusCode != test.status {
						t.Errorf("answered %v, %v", answer, err)
					}
				}
				if n, err := io.Copy(io.Discard, reader); err != nil || n >= 4<<20 {
					t.Errorf("%d bytes came, %v", n, err)
				}
				if took := time.Since(began); took > test.within+time.Second {
					t.Errorf("it was cut off after %s, want %s", took, test.within)
				}
				_ = conn.Close()
				stop()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
