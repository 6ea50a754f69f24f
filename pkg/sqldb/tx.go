package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// finishTimeout bounds a commit or rollback, which go on when the caller's context has ended.
const finishTimeout = 30 * time.Second

// ErrAborted is why a transaction refuses a statement, or its commit: an earlier statement of it failed.
var ErrAborted = errors.New("an earlier statement of this transaction failed")

// Tx is a transaction. It is not safe for concurrent use, and must not be used after the function it was given to
// has returned.
type Tx struct {
	dialect Dialect
	session *session
	writes  bool
	db      *DB
	// failed is the first error of a statement. SQLite rolls a transaction back on some errors and would run what
	// follows outside of any.
	failed error
}

// Tx runs fn in a read-write transaction and commits it if fn returns nil, otherwise, or if fn panics, rolls it back.
// On PostgreSQL it is READ COMMITTED; on SQLite BEGIN IMMEDIATE, one at a time.
//
// Once fn has returned nil and ctx has not ended, the commit runs to its end, whatever becomes of ctx. If the commit's
// outcome is unknown, the error satisfies [IsUnavailable].
func (db *DB) Tx(ctx context.Context, fn func(*Tx) error) error {
	begin := "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	if db.dialect == SQLite {
		begin = "BEGIN IMMEDIATE"
	}
	return db.transact(ctx, db.writers, begin, true, fn)
}

// Read runs fn in a read-only transaction that sees one snapshot, whatever commits meanwhile.
func (db *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	if db.dialect == SQLite {
		begin = "BEGIN"
	}
	return db.transact(ctx, db.readers, begin, false, fn)
}

func (db *DB) transact(ctx context.Context, pool pool, begin string, writes bool, fn func(*Tx) error) error {
	s, err := pool.acquire(ctx)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	tx := &Tx{dialect: db.dialect, session: s, writes: writes, db: db}
	// open and broken tell the deferred release, which also runs when fn panics, what state the session is in.
	open, broken := false, true
	defer func() {
		if open {
			broken = tx.rollback(ctx) != nil
		}
		pool.release(s, broken)
	}()
	if err := db.struck(ctx, StepBegin, writes); err != nil {
		broken = false
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if _, err := s.exec(ctx, begin, nil); err != nil {
		broken = !isBusy(err)
		return fmt.Errorf("begin a transaction: %w", tx.classify(ctx, err))
	}
	open = true
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return fmt.Errorf("commit: %w: %w", ErrAborted, tx.failed)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	open, broken = false, false
	return nil
}

// Exec runs a statement with parameters $1 … $k and says how many rows it inserted, changed or deleted.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (affected int64, err error) {
	args, err = tx.arguments(args)
	if err != nil {
		return 0, err
	}
	return tx.exec(ctx, query, args)
}

// Query runs a statement that returns rows, which the caller closes before the next statement of the transaction.
// [Select] and [Get] do both, and return times in UTC from any column or expression.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	args, err := tx.arguments(args)
	if err != nil {
		return nil, err
	}
	return tx.query(ctx, query, args)
}

func (tx *Tx) exec(ctx context.Context, query string, args []any) (int64, error) {
	if tx.failed != nil {
		return 0, fmt.Errorf("%w: %w", ErrAborted, tx.failed)
	}
	if err := tx.strike(ctx, query); err != nil {
		return 0, err
	}
	result, err := tx.session.exec(ctx, query, args)
	if err != nil {
		return 0, tx.fail(ctx, err)
	}
	affected, err := result.RowsAffected()
	if err != nil {
		return 0, tx.fail(ctx, err)
	}
	return affected, nil
}

func (tx *Tx) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if tx.failed != nil {
		return nil, fmt.Errorf("%w: %w", ErrAborted, tx.failed)
	}
	if err := tx.strike(ctx, query); err != nil {
		return nil, err
	}
	rows, err := tx.session.query(ctx, query, args)
	if err != nil {
		return nil, tx.fail(ctx, err)
	}
	return rows, nil
}

// strike fails a statement for which WithFault has a fault, or WithOutage an outage.
func (tx *Tx) strike(ctx context.Context, query string) error {
	err := tx.db.struck(ctx, StepStatement, tx.writes)
	if err == nil && tx.db.fault != nil {
		err = tx.db.fault(ctx, query)
	}
	if err != nil {
		return tx.fail(ctx, err)
	}
	return nil
}

// fail remembers the first error and returns err, classified.
func (tx *Tx) fail(ctx context.Context, err error) error {
	err = tx.classify(ctx, err)
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// classify says of an error what the driver's own words do not: that the context ended, that the connection is gone, or
// that a server which refuses to write, a standby, is at fault and not the caller of [DB.Read].
func (tx *Tx) classify(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		if errors.Is(err, ended) {
			return err
		}
		return fmt.Errorf("%w: %w", ended, err)
	}
	if tx.dialect == Postgres && (!postgresAlive(tx.session) || tx.writes && isReadOnly(err)) {
		return &unavailableError{err}
	}
	return err
}

func (tx *Tx) commit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if err := tx.db.struck(ctx, StepCommit, tx.writes); err != nil {
		return unknown(err)
	}
	var err error
	if tx.dialect == Postgres {
		err = commitPostgres(ctx, tx.session)
	} else {
		_, err = tx.session.exec(ctx, "COMMIT", nil)
	}
	if err != nil && refused(err) {
		return fmt.Errorf("commit: %w", err)
	}
	if err == nil {
		err = tx.db.struck(ctx, StepCommitted, tx.writes)
	}
	if err != nil {
		return unknown(err)
	}
	return nil
}

func (tx *Tx) rollback(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	_, err := tx.session.exec(ctx, "ROLLBACK", nil)
	return err
}
