package sqldb

import (
	"context"
	"fmt"
	"sync"
)

// Dialect is the database behind a [DB].
type Dialect int

// The dialects.
const (
	Postgres Dialect = iota + 1
	SQLite
)

// String returns "postgres" or "sqlite".
func (d Dialect) String() string {
	switch d {
	case Postgres:
		return "postgres"
	case SQLite:
		return "sqlite"
	default:
		return fmt.Sprintf("Dialect(%d)", int(d))
	}
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect  Dialect
	writers  pool
	readers  pool
	migrator migrator
	// fault is that of WithFault, nil if there is none.
	fault func(ctx context.Context, query string) error
	// outage is that of WithOutage, nil if there is none.
	outage Outage
	// closers run in order.
	closers  []func() error
	closing  sync.Once
	closeErr error
}

// pool lends sessions. On return of acquire, the session is nil if and only if err is not.
type pool interface {
	acquire(context.Context) (*session, error)
	// release takes a session back. A broken one is closed, never lent again.
	release(s *session, broken bool)
}

// Dialect says which database this is. Code that asks is the exception: the SQL text is one.
func (db *DB) Dialect() Dialect { return db.dialect }

// Ping says whether the database answers. Its error satisfies [IsUnavailable] unless ctx has ended.
func (db *DB) Ping(ctx context.Context) error {
	return db.Read(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, "SELECT 1")
		return err
	})
}

// Close closes every connection and gives the file lock back. Transactions begun later fail; one that still runs ends
// in its own time, and on SQLite Close waits for it.
func (db *DB) Close() error {
	db.closing.Do(func() {
		for _, closer := range db.closers {
			if err := closer(); err != nil && db.closeErr == nil {
				db.closeErr = fmt.Errorf("close the database: %w", err)
			}
		}
	})
	return db.closeErr
}
