package parts

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// Postgres is a PostgreSQL server that waits for the disk, as production has it.
type Postgres struct {
	cfg    pgserver.Config
	server *pgserver.Server
}

// Database is one of a role of the same name, which owns it and reaches no other.
type Database struct {
	// Addr is host:port of the server.
	Addr, Name, Password string
}

// URL is what the role connects to.
func (d Database) URL() string {
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(d.Name, d.Password), Host: d.Addr, Path: "/" + d.Name,
		RawQuery: "sslmode=disable",
	}).String()
}

// StartPostgres starts the installed server on a data folder and returns once it answers.
func StartPostgres(ctx context.Context, dir string) (*Postgres, error) {
	addrs, err := launch.FreeAddresses(1)
	if err != nil {
		return nil, err
	}
	_, text, err := net.SplitHostPort(addrs[0])
	if err != nil {
		return nil, fmt.Errorf("address of PostgreSQL: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("address of PostgreSQL: %w", err)
	}
	p := &Postgres{cfg: pgserver.Config{Dir: dir, Port: port, Durable: true}}
	return p, p.Start(ctx)
}

// Addr is where it listens.
func (p *Postgres) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.cfg.Port)) }

// Start starts it where it always listens.
func (p *Postgres) Start(ctx context.Context) (err error) {
	p.server, err = pgserver.Start(ctx, p.cfg)
	return err
}

// Stop ends its connections and stops it. The data stays.
func (p *Postgres) Stop() error {
	if p.server == nil {
		return nil
	}
	return p.server.Stop()
}

// Crash ends it at once, without a checkpoint: it recovers from its log when it is started again.
func (p *Postgres) Crash() error {
	text, err := os.ReadFile(filepath.Join(p.cfg.Dir, "data", "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("crash PostgreSQL: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGQUIT)
	}
	if err != nil {
		return fmt.Errorf("crash PostgreSQL: %w", err)
	}
	return p.server.Stop() // which waits for its end
}

// Disconnect ends the connections of everybody else to the server, and returns how many there were.
func (p *Postgres) Disconnect(ctx context.Context) (n int, err error) {
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return 0, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("end connections to PostgreSQL: %w", err)
	}
	return n, nil
}

// URL is that of the superuser.
func (p *Postgres) URL() string { return p.server.URL("postgres") }

// CreateDatabase makes a role and its database on the server that admin, the url of a superuser, connects to.
func CreateDatabase(ctx context.Context, admin, name string) (Database, error) {
	address, err := url.Parse(admin)
	if err != nil {
		return Database{}, fmt.Errorf("the url of PostgreSQL: %w", err)
	}
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return Database{}, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	d := Database{Addr: address.Host, Name: name, Password: name}
	quoted := pgx.Identifier{name}.Sanitize()
	for _, statement := range []string{
		"CREATE ROLE " + quoted + " LOGIN PASSWORD '" + strings.ReplaceAll(d.Password, "'", "''") + "'",
		"CREATE DATABASE " + quoted + " OWNER " + quoted + " TEMPLATE template0",
		"REVOKE CONNECT ON DATABASE " + quoted + " FROM PUBLIC",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return Database{}, fmt.Errorf("database %s: %w", name, err)
		}
	}
	return d, nil
}

// DropDatabase removes what CreateDatabase made.
func DropDatabase(ctx context.Context, admin, name string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	quoted := pgx.Identifier{name}.Sanitize()
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)", "DROP ROLE IF EXISTS " + quoted,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("database %s: %w", name, err)
		}
	}
	return nil
}
