package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	headerTime = 5 * time.Second // for a client to send its request line and headers
	bodyTime   = 30 * time.Second
	idleTime   = 2 * time.Minute
	drainTime  = 5 * time.Second // for requests in work to be answered after Close
	headerSize = 64 << 10
)

// Server answers HTTP requests on one listener from Start to Close.
type Server struct {
	addr string
	http *http.Server
	done chan struct{} // closed when serving has ended
	err  error         // why, if not by Close; read after done

	mu     sync.Mutex
	silent map[net.Conn]struct{} // connections that have not asked for anything yet
}

// Start answers on the listener, which it owns from now on.
func Start(listener net.Listener, handler http.Handler, logger *slog.Logger) *Server {
	s := &Server{
		addr: listener.Addr().String(),
		http: &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: headerTime,
			ReadTimeout:       bodyTime,
			IdleTimeout:       idleTime,
			MaxHeaderBytes:    headerSize,
			ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		},
		done:   make(chan struct{}),
		silent: make(map[net.Conn]struct{}),
	}
	s.http.ConnState = s.track
	s.http.RegisterOnShutdown(s.closeSilent)
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.err = fmt.Errorf("serve HTTP on %s: %w", s.addr, err)
		}
	}()
	return s
}

// Addr returns the host and port it answers on.
func (s *Server) Addr() string { return s.addr }

// Done is closed once the server no longer answers, by Close or because its listener failed.
func (s *Server) Done() <-chan struct{} { return s.done }

// Close takes no more requests, waits for those in work for 5 seconds, cuts off what is left then, and returns why
// serving ended if it ended before Close.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("drain HTTP on %s: %w", s.addr, err), s.http.Close())
	}
	<-s.done
	return errors.Join(s.err, err)
}

func (s *Server) track(connection net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.silent[connection] = struct{}{}
	} else {
		delete(s.silent, connection)
	}
}

// closeSilent closes the connections that a client opened ahead of its needs. Shutdown gives each of them 5 s to send
// a first request, and would spend all of the drain time on them.
func (s *Server) closeSilent() {
	<-s.done // none is accepted afterwards
	s.mu.Lock()
	defer s.mu.Unlock()
	for connection := range s.silent {
		_ = connection.Close() // fails only if the client was faster
	}
}
