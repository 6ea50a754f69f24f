package sqltest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
)

// ServerVariable names a running PostgreSQL server for tests, by the url of a database on it.
const ServerVariable = "QUADRILLE_TEST_POSTGRES_URL"

const dropTimeout = 30 * time.Second

// The servers of this process. They are never stopped but by the end of the process, for no test knows that it is the
// last.
var (
	volatileServer = sync.OnceValues(func() (string, error) { return startServer(false) })
	durableServer  = sync.OnceValues(func() (string, error) { return startServer(true) })
)

func startServer(durable bool) (string, error) {
	server, err := pgserver.Start(context.Background(), pgserver.Config{Durable: durable})
	if err != nil {
		return "", err
	}
	return server.URL("postgres"), nil
}

// PostgresURL is the url of an empty PostgreSQL database, dropped when the test ends. The server does not wait for the
// disk.
func PostgresURL(tb testing.TB) string {
	tb.Helper()
	return createDatabase(tb, volatileServer)
}

// DurablePostgresURL is [PostgresURL] on a server that has fsync and synchronous_commit on, as production has:
// for benchmarks.
func DurablePostgresURL(tb testing.TB) string {
	tb.Helper()
	return createDatabase(tb, durableServer)
}

func createDatabase(tb testing.TB, server func() (string, error)) string {
	tb.Helper()
	admin := os.Getenv(ServerVariable)
	if admin == "" {
		var err error
		if admin, err = server(); errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") != "true" {
			tb.Skipf("SKIPPED, NOT TESTED ON POSTGRESQL: %v; or set %s", err, ServerVariable)
		} else if err != nil {
			tb.Fatal(err)
		}
	}
	address, err := url.Parse(admin)
	if err != nil {
		tb.Fatalf("%s must be a url: %v", ServerVariable, errors.Unwrap(err))
	}
	name := "test_" + strings.ToLower(rand.Text())
	// template0 copies nothing that others added, and nobody can be connected to it.
	if err := administer(tb.Context(), admin, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
		defer cancel()
		if err := administer(ctx, admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Error(err)
		}
	})
	address.Path = "/" + name
	return address.String()
}

func administer(ctx context.Context, admin, statement string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
