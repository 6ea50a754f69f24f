package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	writeTime   = MaxWait + 30*time.Second // a held request must still be answered
	headerBytes = 64 << 10
)

type drainKey struct{}

// Serve answers on the listener until ctx ends, then drains: it takes no more connections, ends every Wait, lets the
// requests in work finish for at most the drain time, and then cuts them off, which is an error. It closes the
// listener in any case, and returns nil after a clean end.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, drain time.Duration) error {
	// Requests outlive ctx by the drain time, so their contexts do not descend from its end.
	base, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	draining, beginDrain := context.WithCancel(context.WithoutCancel(ctx))
	defer beginDrain()
	base = context.WithValue(base, drainKey{}, draining)

	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		WriteTimeout:      writeTime,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
		// No ReadTimeout: it would cancel held requests. New's mux bounds the time of each body instead.
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()

	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP on %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}

	beginDrain()
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(limit)
	if err != nil {
		abandon()
		err = errors.Join(err, server.Close())
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("drain HTTP on %s: %w", listener.Addr(), err)
	}
	return nil
}
