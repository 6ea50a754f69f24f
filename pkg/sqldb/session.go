package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// maxStatements bounds the prepared statements a session keeps. A service has a few dozen.
const maxStatements = 256

// session is one connection, used by one transaction at a time.
type session struct {
	conn *sql.Conn
	// statements keeps what is prepared, by text. Nil where the driver keeps its own.
	statements map[string]*sql.Stmt
}

func (s *session) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return s.conn.ExecContext(ctx, query, args...)
	}
	return stmt.ExecContext(ctx, args...)
}

func (s *session) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if stmt == nil {
		return s.conn.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// prepare returns nil without an error where the session keeps no statements.
func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s.statements == nil {
		return nil, nil
	}
	if stmt, ok := s.statements[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.statements) >= maxStatements {
		s.forget()
	}
	s.statements[query] = stmt
	return stmt, nil
}

// forget closes every prepared statement.
func (s *session) forget() {
	for text, stmt := range s.statements {
		_ = stmt.Close()
		delete(s.statements, text)
	}
}

// close ends the session. A broken connection is closed rather than given back to database/sql.
func (s *session) close(broken bool) {
	s.forget()
	if broken {
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = s.conn.Close()
}
