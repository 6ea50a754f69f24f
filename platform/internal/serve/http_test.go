package serve

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
)

func TestCloseLetsARequestInWorkFinish(t *testing.T) {
	began, finish := make(chan struct{}), make(chan struct{})
	s := start(t, func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-finish
		_, _ = w.Write([]byte("done"))
	})
	answered := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + s.Addr())
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-began
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.Done() // no more connections

	close(finish)
	if got := <-answered; got != "done" {
		t.Errorf("the request was answered %q", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestCloseDoesNotWaitForThoseWhoAskNothing(t *testing.T) {
	s := start(t, func(http.ResponseWriter, *http.Request) {})
	connection, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()

	if err := s.Close(); err != nil { // says so when the drain time was used up
		t.Error(err)
	}
}

func start(t *testing.T, handler http.HandlerFunc) *Server {
	t.Helper()
	listener, err := Listen("127.0.0.1:0", "test")
	if err != nil {
		t.Fatal(err)
	}
	return Start(listener, handler, slog.New(slog.DiscardHandler))
}
