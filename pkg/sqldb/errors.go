package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// unavailableError marks an error as infrastructure where its own words do not say so.
type unavailableError struct{ err error }

func (e *unavailableError) Error() string { return e.err.Error() }
func (e *unavailableError) Unwrap() error { return e.err }

// IsUnavailable says that infrastructure failed, not the statement: the same transaction may succeed later. That is a
// connection lost or refused, a server starting or stopping or, after a fail-over, a standby, too many connections, a
// full disk, SQLITE_BUSY, a serialization failure, a deadlock, a timeout of the server, or a commit whose outcome is
// unknown.
// The end of the caller's context is not.
func IsUnavailable(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*unavailableError](err); ok {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return postgresUnavailable(pg)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return sqliteUnavailable(lite.Code())
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF)
}

// postgresUnavailable goes by SQLSTATE, see https://www.postgresql.org/docs/current/errcodes-appendix.html.
func postgresUnavailable(err *pgconn.PgError) bool {
	switch err.Code {
	case "25P03", // idle_in_transaction_session_timeout
		"25P04", // transaction_timeout
		"40001", // serialization_failure
		"40003", // statement_completion_unknown
		"40P01", // deadlock_detected
		"55P03": // lock_not_available
		return true
	case "0A000": // feature_not_supported
		// A migration changed a table under a prepared statement. pgx has dropped the statement by now.
		// A standby refuses BEGIN READ WRITE by this code too.
		return strings.Contains(err.Message, "cached plan must not change result type") ||
			strings.Contains(err.Message, "during recovery")
	}
	switch err.Code[:min(2, len(err.Code))] {
	case "08", // connection exception
		"53", // insufficient resources
		"57", // operator intervention
		"58": // system error
		return true
	}
	return false
}

// IsRefused says that a server was reached and let nobody in: the password, the user, the name of the database or TLS
// do not fit. [IsUnavailable] says so too, unless it comes from Open: whoever can change them may do so meanwhile.
func IsRefused(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return isWithoutTLS(err) || ok && (strings.HasPrefix(pg.Code, "28") || // invalid authorization
		pg.Code == "3D000" || // invalid_catalog_name
		pg.Code == "42501") // insufficient_privilege
}

// isWithoutTLS says that a server was asked for TLS and has none. The driver says so in words only.
func isWithoutTLS(err error) bool {
	return err != nil && strings.Contains(err.Error(), "server refused TLS connection")
}

// isReadOnly says that PostgreSQL refused to write in a transaction that only reads (read_only_sql_transaction).
func isReadOnly(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "25006"
}

func sqliteUnavailable(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}

// IsDuplicate says that a row with the same unique key exists already. The error's text names the constraint
// (PostgreSQL) or the columns (SQLite).
func IsDuplicate(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

func isBusy(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// refused says that the database itself answered a commit with an error, so that nothing is committed.
func refused(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code != "40003" && !strings.HasPrefix(pg.Code, "08") && !strings.HasPrefix(pg.Code, "57P")
	}
	if errors.Is(err, ErrAborted) {
		return true
	}
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok
}
