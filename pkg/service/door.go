package service

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
)

// door serves the HTTP API from the moment the port is bound. Until there is a handler it answers 503, so that callers
// of a service that still waits for something are told to come back instead of hanging.
type door struct {
	handler atomic.Pointer[http.Handler]
	stop    context.CancelFunc
	ended   chan struct{}
	err     error // once ended is closed
}

// newDoor serves on the listener, which it owns, until run ends or close is called.
func newDoor(ctx context.Context, listener net.Listener, drain time.Duration) *door {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	d := &door{stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		d.err = httpapi.Serve(ctx, listener, d, drain)
	}()
	return d
}

// open lets requests through to handler.
func (d *door) open(handler http.Handler) { d.handler.Store(&handler) }

// run returns when ctx has ended and the requests are drained.
func (d *door) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-d.ended:
	}
	d.close()
	return d.err
}

// close stops serving and waits for its end. It may be called again.
func (d *door) close() {
	d.stop()
	<-d.ended
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := d.handler.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	httpapi.Unavailable(time.Second).Write(w)
}

// listen names the port, what wanted it and the cure when it is taken.
func (c Config) listen(addr, what, variable string) (net.Listener, error) {
	open := c.Listen
	if open == nil {
		open = net.Listen
	}
	listener, err := open("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen on %s: %w; stop what listens there, or set %s",
			what, addr, err, variable)
	}
	return listener, nil
}
