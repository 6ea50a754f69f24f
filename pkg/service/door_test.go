package service

import (
	"context"
	"net/http"
	"testing"
	"time"
)

func TestDoorAnswersFromTheMomentThePortIsBound(t *testing.T) {
	listener, err := Config{}.listen("127.0.0.1:0", "the test", "NOTHING")
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t.Context(), listener, time.Second)
	get := func() *http.Response {
		t.Helper()
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response
	}
	closed := get()
	if closed.StatusCode != http.StatusServiceUnavailable || closed.Header.Get("Retry-After") != "1" ||
		closed.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("before there is a handler: %d, %v", closed.StatusCode, closed.Header)
	}

	ctx, cancel := context.WithCancel(t.Context())
	ended, asked := make(chan error, 1), make(chan struct{}, 1)
	go func() { ended <- door.run(ctx) }()
	door.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		asked <- struct{}{}
	}))
	if opened := get(); opened.StatusCode != http.StatusTeapot {
		t.Errorf("with a handler: %d", opened.StatusCode)
	}
	<-asked
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("a clean end = %v", err)
	}
	door.close() // again, which changes nothing
	if _, err := http.Get("http://" + listener.Addr().String()); err == nil {
		t.Error("it listens still")
	}
}

func TestDoorWhoseListenerBreaksEndsItsStage(t *testing.T) {
	listener, err := Config{}.listen("127.0.0.1:0", "the test", "NOTHING")
	if err != nil {
		t.Fatal(err)
	}
	door := newDoor(t.Context(), listener, time.Second)
	listener.Close()
	if err := door.run(t.Context()); err == nil {
		t.Error("no error")
	}
}
