package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

var errClosed = errors.New("the database is closed")

func openSQLite(ctx context.Context, rawURL string, cfg config) (_ *DB, err error) {
	path, err := sqlitePath(rawURL)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("open the database %s: its folder does not exist; create it first", path)
	}
	db := &DB{dialect: SQLite}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	if cfg.fileLock {
		if err := db.lockFile(path); err != nil {
			return nil, err
		}
	}
	writers, err := newSQLitePool(path, 1, false)
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	readers, err := newSQLitePool(path, cfg.connections, true)
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	db.writers, db.readers = writers, readers
	// Readers first: the last connection to close checkpoints the log, which a reader may not.
	db.closers = append([]func() error{readers.close, writers.close}, db.closers...)
	db.migrator = func(ctx context.Context) (*sql.DB, func(), error) { return writers.lend(ctx) }
	for _, pool := range []*sqlitePool{writers, readers} {
		if err := pool.open(ctx); err != nil {
			return nil, fmt.Errorf("open the database %s: %w", path, sqliteCure(err))
		}
	}
	return db, nil
}

// lockFile refuses a second process, and a second handle of this one. The lock is on a file of its own: SQLite's own
// locks are lost when another descriptor of the database file is closed.
func (db *DB) lockFile(path string) error {
	lock := flock.New(path + ".lock")
	locked, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("open the database %s: lock it: %w", path, err)
	}
	if !locked {
		return fmt.Errorf("open the database %s: another process has it open; stop that one, or use PostgreSQL to run "+
			"several processes on one database", path)
	}
	db.closers = append(db.closers, lock.Unlock)
	return nil
}

// sqlitePath takes sqlite:///abs.db, sqlite:/abs.db and sqlite:rel.db.
func sqlitePath(rawURL string) (string, error) {
	path := strings.TrimPrefix(rawURL, "sqlite:")
	if after, ok := strings.CutPrefix(path, "//"); ok {
		if !strings.HasPrefix(after, "/") {
			return "", errors.New("its url must be sqlite:///absolute/path.db (three slashes) or sqlite:relative.db")
		}
		path = after
	}
	if path == "" || strings.ContainsAny(path, "?#") || strings.Contains(path, ":memory:") {
		return "", errors.New("its url must name a file, as in sqlite:///absolute/path.db, without parameters")
	}
	return filepath.Abs(path)
}

// sqliteDSN opens the file with the log that lets readers and the writer go on together, each commit on disk before it
// is acknowledged, and no waiting for locks: who meets SQLITE_BUSY backs off in Go.
func sqliteDSN(path string, readOnly bool) string {
	query := url.Values{"_dqs": {"0"}, "_pragma": {
		"busy_timeout(0)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}}
	if readOnly {
		query["_pragma"] = append(query["_pragma"], "query_only(1)")
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query.Encode()}).String()
}

func sqliteCure(err error) error {
	text := err.Error()
	switch {
	case isBusy(err):
		return fmt.Errorf("another process has it locked; stop that one: %w", err)
	case strings.Contains(text, "SQLITE_NOTADB") || strings.Contains(text, "not a database"):
		return fmt.Errorf("it is not a SQLite file; name another or move it away: %w", err)
	default:
		return err
	}
}

// sqlitePool lends a fixed number of connections. One that broke is opened again when it is next needed.
type sqlitePool struct {
	dsn string
	db  *sql.DB
	// idle holds one entry a connection, nil where none is open.
	idle   chan *session
	closed chan struct{}
}

func newSQLitePool(path string, size int, readOnly bool) (*sqlitePool, error) {
	dsn := sqliteDSN(path, readOnly)
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	p := &sqlitePool{dsn: dsn, db: db, idle: make(chan *session, size), closed: make(chan struct{})}
	for range size {
		p.idle <- nil
	}
	return p, nil
}

// open opens every connection and has it read, one after another: one that first reads the log while another writes may
// find it being recovered, and the other then meets SQLITE_BUSY_RECOVERY.
func (p *sqlitePool) open(ctx context.Context) error {
	sessions := make([]*session, 0, cap(p.idle))
	defer func() {
		for _, s := range sessions {
			p.release(s, false)
		}
	}()
	for range cap(p.idle) {
		s, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		sessions = append(sessions, s)
		if _, err := s.exec(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1", nil); err != nil {
			return err
		}
	}
	return nil
}

func (p *sqlitePool) acquire(ctx context.Context) (*session, error) {
	select {
	case <-p.closed:
		return nil, errClosed
	default:
	}
	var s *session
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		return nil, errClosed
	case s = <-p.idle:
	}
	if s != nil {
		return s, nil
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		p.idle <- nil
		return nil, err
	}
	// The driver prepares a text each time it runs: keeping statements made a loop of INSERTs 1.35 times as fast.
	return &session{conn: conn, statements: map[string]*sql.Stmt{}}, nil
}

func (p *sqlitePool) release(s *session, broken bool) {
	if broken {
		s.close(true)
		s = nil
	}
	p.idle <- s
}

// lend opens a handle of its own while no transaction runs.
func (p *sqlitePool) lend(ctx context.Context) (*sql.DB, func(), error) {
	s, err := p.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	handle, err := sql.Open("sqlite", p.dsn)
	if err != nil {
		p.release(s, false)
		return nil, nil, err
	}
	handle.SetMaxOpenConns(1)
	return handle, func() {
		_ = handle.Close()
		p.release(s, false)
	}, nil
}

// close waits for every session to come back.
func (p *sqlitePool) close() error {
	close(p.closed)
	for range cap(p.idle) {
		if s := <-p.idle; s != nil {
			s.close(false)
		}
	}
	return p.db.Close()
}
