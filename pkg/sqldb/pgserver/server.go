// Package pgserver starts a PostgreSQL server of one's own from the installed binaries, for tests, benchmarks and
// demonstrations: on a free port of 127.0.0.1, open to every local user, gone when its parent process is.
package pgserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	pollInterval = 10 * time.Millisecond
	// portAttempts is how often a port that was free may turn out taken.
	portAttempts = 3
)

// Config says which server to start.
type Config struct {
	// Binaries is the folder of initdb and postgres. Defaults to what [Find] finds.
	Binaries string
	// Dir keeps the data for the next Start; it is made if missing. Defaults to a temporary folder, removed on Stop.
	Dir string
	// Port is where it listens on 127.0.0.1. Defaults to one that is free.
	Port int
	// Durable makes an acknowledged commit survive a crash of the machine: fsync, synchronous_commit and
	// full_page_writes are on. Defaults to off, which is faster.
	Durable bool
	// Settings are further server settings, as in postgresql.conf. Defaults to none.
	Settings map[string]string
}

// Server is a running PostgreSQL.
type Server struct {
	port int
	// lifeline ends the server when it is closed, by Stop or by the end of this process.
	lifeline io.Closer
	// kill ends what did not stop.
	kill func()
	// exited is closed once the server has gone.
	exited <-chan struct{}
}

// Start starts a server and returns once it answers. It stops with [Server.Stop], or by itself when this process ends,
// however it ends. Root cannot run PostgreSQL: for root it runs as the user postgres, or nobody.
// Without binaries the error is [ErrNotInstalled].
func Start(ctx context.Context, cfg Config) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if cfg.Binaries == "" {
		found, err := Find()
		if err != nil {
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
		cfg.Binaries = found
	}
	for attempt := 1; ; attempt++ {
		s, err := start(ctx, cfg)
		if err == nil {
			return s, nil
		}
		if attempt == portAttempts || !errors.Is(err, errPortTaken) {
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
}

func start(ctx context.Context, cfg Config) (*Server, error) {
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := account.folder(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if err := initialize(ctx, cfg.Binaries, dir, account); err != nil {
		if cfg.Dir == "" {
			_ = os.RemoveAll(dir)
		}
		return nil, err
	}
	port := cfg.Port
	if port == 0 {
		if port, err = freePort(); err != nil {
			return nil, err
		}
	}
	// Kept open, so that it can be read when the watchdog has removed it.
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s, err := launch(cfg, dir, port, log, account)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx, log); err != nil {
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

// URL is the address of a database on the server, for the superuser postgres. The database "postgres" always exists.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
	}).String()
}

// Stop stops the server, ending its connections, and returns once it has gone. Stopping twice is harmless.
func (s *Server) Stop() error {
	_ = s.lifeline.Close()
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
		s.kill()
		return fmt.Errorf("stop PostgreSQL: it was killed, for it did not stop within %s", stopTimeout)
	}
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context, log io.ReaderAt) error {
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.exited:
			return failure(log)
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(pollInterval):
		}
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
