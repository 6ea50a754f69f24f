package sqldb_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestDuplicateKeyIsNamedAndIsNotInfrastructure(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		mustInsert(t, db, item{Key: "a"}, item{Key: "b"})
		err := insertItems(t.Context(), db, item{Key: "c"}, item{Key: "b"})
		if !sqldb.IsDuplicate(err) || sqldb.IsUnavailable(err) {
			t.Errorf("error %v", err)
		}
		if err == nil || !strings.Contains(err.Error(), "items") || !strings.Contains(err.Error(), "key") {
			t.Errorf("error %v does not name the table and the column", err)
		}
		if got := selectItems(t, db); len(got) != 2 {
			t.Errorf("%d rows, want the 2 from before", len(got))
		}
	})
}

func TestMistakesAreNeitherDuplicateNorInfrastructure(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		for _, statement := range []string{`SELEC`, `SELECT nothing FROM items`, `INSERT INTO items (count) VALUES (1)`} {
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				_, err := tx.Exec(t.Context(), statement)
				return err
			})
			if err == nil || sqldb.IsDuplicate(err) || sqldb.IsUnavailable(err) {
				t.Errorf("%s: error %v", statement, err)
			}
		}
		if sqldb.IsDuplicate(nil) || sqldb.IsUnavailable(nil) {
			t.Error("nil is an error")
		}
	})
}

func TestEndOfTheContextIsNotInfrastructure(t *testing.T) {
	// Counts for longer than any test runs.
	const forever = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT count(*) FROM n`
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := db.Tx(ctx, func(tx *sqldb.Tx) error {
			_, err := sqldb.Get[int64](ctx, tx, forever)
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) || sqldb.IsUnavailable(err) {
			t.Errorf("during a statement: %v", err)
		}
		if err := db.Tx(ctx, func(*sqldb.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before the transaction: %v", err)
		}
		mustInsert(t, db, item{Key: "the pool still works"})
	})
}

func TestDeadlockIsInfrastructure(t *testing.T) {
	db := sqltest.Postgres(t)
	migrateItems(t, db)
	mustInsert(t, db, item{Key: "a"}, item{Key: "b"})
	ctx := t.Context()
	var locked atomic.Int32
	bothLocked := make(chan struct{})
	results := make(chan error)
	for _, keys := range [][2]string{{"a", "b"}, {"b", "a"}} {
		go func() {
			results <- db.Tx(ctx, func(tx *sqldb.Tx) error {
				if err := tx.Lock(ctx, `SELECT 1 FROM items WHERE key = $1`, keys[0]); err != nil {
					return err
				}
				if locked.Add(1) == 2 {
					close(bothLocked)
				}
				<-bothLocked
				return tx.Lock(ctx, `SELECT 1 FROM items WHERE key = $1`, keys[1])
			})
		}()
	}
	err := errors.Join(<-results, <-results)
	if !sqldb.IsUnavailable(err) {
		t.Errorf("error %v", err)
	}
}

func TestServerThatStopsIsInfrastructure(t *testing.T) {
	server, err := pgserver.Start(t.Context(), pgserver.Config{})
	if errors.Is(err, pgserver.ErrNotInstalled) {
		sqltest.PostgresURL(t) // skips, or fails where CI=true
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	db := sqltest.Open(t, server.URL("postgres"))
	ctx := t.Context()
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT 1`); err != nil {
			t.Error(err)
		}
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		_, err := tx.Exec(ctx, `SELECT 1`)
		if !sqldb.IsUnavailable(err) {
			t.Errorf("during a transaction: %v", err)
		}
		return err
	})
	if !sqldb.IsUnavailable(err) {
		t.Errorf("from the transaction: %v", err)
	}
	if err := db.Tx(ctx, func(*sqldb.Tx) error { return nil }); !sqldb.IsUnavailable(err) {
		t.Errorf("the next transaction: %v", err)
	}
	if err := db.Ping(ctx); !sqldb.IsUnavailable(err) {
		t.Errorf("Ping: %v", err)
	}
	if _, err := sqldb.Open(ctx, server.URL("postgres")); !sqldb.IsUnavailable(err) ||
		!strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("Open: %v", err)
	}
}

func TestConnectionThatIsKilledIsInfrastructureAndReplaced(t *testing.T) {
	db := sqltest.Postgres(t)
	migrateItems(t, db)
	ctx := t.Context()
	err := db.Tx(ctx, func(victim *sqldb.Tx) error {
		pid, err := sqldb.Get[int64](ctx, victim, `SELECT pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Tx(ctx, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `SELECT pg_terminate_backend($1::int)`, pid)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = victim.Exec(ctx, `INSERT INTO items (key, count) VALUES ('a', 1)`)
		return err
	})
	if !sqldb.IsUnavailable(err) {
		t.Errorf("error %v", err)
	}
	mustInsert(t, db, item{Key: "b"})
}

func TestCommitWithUnknownOutcomeIsInfrastructure(t *testing.T) {
	address := sqltest.PostgresURL(t)
	through, arm := losingCommits(t, address)
	db := sqltest.Open(t, through)
	migrateItems(t, db)
	arm()
	err := insertItems(t.Context(), db, item{Key: "a"})
	if !sqldb.IsUnavailable(err) || !strings.Contains(err.Error(), "unknown outcome") {
		t.Errorf("error %v", err)
	}
	// The server has it, or is about to: the connection went when the server had answered.
	if got := selectItems(t, sqltest.Open(t, address)); len(got) != 1 {
		t.Errorf("%d rows, want the one whose commit went unanswered", len(got))
	}
}

// losingCommits is a proxy before the server at address. Once armed, it hands on a COMMIT but loses the answer and the
// connection.
func losingCommits(t *testing.T, address string) (through string, arm func()) {
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var armed atomic.Bool
	serve := func(client net.Conn) {
		defer func() { _ = client.Close() }()
		server, err := net.Dial("tcp", target.Host)
		if err != nil {
			t.Error(err)
			return
		}
		var losing atomic.Bool
		go func() {
			defer func() { _ = server.Close() }()
			buffer := make([]byte, 64<<10)
			for {
				n, err := client.Read(buffer)
				if err != nil {
					return
				}
				if armed.Load() && strings.Contains(string(buffer[:n]), "COMMIT\x00") {
					losing.Store(true)
				}
				if _, err := server.Write(buffer[:n]); err != nil {
					return
				}
			}
		}()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || losing.Load() {
				return
			}
			if _, err := client.Write(buffer[:n]); errors.Is(err, io.ErrClosedPipe) {
				return
			}
		}
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(client)
		}
	}()
	proxied := *target
	proxied.Host = listener.Addr().String()
	return proxied.String(), func() { armed.Store(true) }
}
