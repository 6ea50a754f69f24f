package sqldb

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// defaultConnections suits a service: one loop that writes, a relay, and readers for HTTP.
const defaultConnections = 8

// Option changes how [Open] opens a database.
type Option func(*config)

type config struct {
	connections int
	fileLock    bool
	fault       func(ctx context.Context, query string) error
	outage      Outage
}

// WithConnections bounds the connections to PostgreSQL, or the reading ones to a SQLite file. Defaults to 8.
func WithConnections(n int) Option { return func(c *config) { c.connections = n } }

// WithoutFileLock lets several handles open one SQLite file, each of which then meets SQLITE_BUSY. A simulation of
// replicas needs it. Defaults to a lock that refuses the second.
func WithoutFileLock() Option { return func(c *config) { c.fileLock = false } }

// WithFault has fault asked before each statement of a transaction; what it returns, unless nil, is what the statement
// fails with instead of being run. Tests of what a failed transaction leaves need it. Defaults to none.
func WithFault(fault func(ctx context.Context, query string) error) Option {
	return func(c *config) { c.fault = fault }
}

// Open opens the database at url, and has reached it once when it returns: postgres://user@host:port/database,
// sqlite:///absolute/path.db or sqlite:relative.db, where the file, but not its folder, is made if missing.
// Close the database when done with it.
//
// A PostgreSQL server is asked to end the sessions of a client that has gone without a word: with
// idle_in_transaction_session_timeout=60000 (ms), tcp_keepalives_idle=10, tcp_keepalives_interval=5 (s),
// tcp_keepalives_count=3 and tcp_user_timeout=20000 (ms), each unless the url sets it (?tcp_keepalives_idle=60). A
// proxy between must pass them on or ignore them: PgBouncer's ignore_startup_parameters.
func Open(ctx context.Context, url string, options ...Option) (*DB, error) {
	cfg := config{connections: defaultConnections, fileLock: true}
	for _, option := range options {
		option(&cfg)
	}
	if cfg.connections < 1 {
		return nil, fmt.Errorf("open the database: %d connections are too few, at least 1 is needed", cfg.connections)
	}
	var db *DB
	var err error
	scheme, _, _ := strings.Cut(url, ":")
	switch scheme {
	case "postgres", "postgresql":
		db, err = openPostgres(ctx, url, cfg)
	case "sqlite":
		db, err = openSQLite(ctx, url, cfg)
	default:
		// The url may hold a password, so it is not repeated.
		err = errors.New("open the database: its url begins with neither postgres:// nor sqlite:/")
	}
	if err != nil {
		return nil, err
	}
	db.fault, db.outage = cfg.fault, cfg.outage
	return db, nil
}
