package sqldb_test

import (
	"errors"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestServerIsAskedToEndTheSessionsOfADeadHost(t *testing.T) {
	type settings map[string]string
	ours := settings{
		"idle_in_transaction_session_timeout": "60000", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5",
		"tcp_keepalives_count": "3", "tcp_user_timeout": "20000",
	}
	with := func(changes settings) settings {
		all := maps.Clone(ours)
		maps.Copy(all, changes)
		return all
	}
	socket := settings{ // where the server knows none of TCP
		"tcp_keepalives_idle": "0", "tcp_keepalives_interval": "0", "tcp_keepalives_count": "0", "tcp_user_timeout": "0",
	}
	tests := map[string]struct {
		query url.Values
		unix  bool
		want  settings
	}{
		"by default": {want: ours},
		"unless the url sets them": {
			query: url.Values{"tcp_keepalives_idle": {"77"}, "idle_in_transaction_session_timeout": {"1234"}},
			want:  with(settings{"tcp_keepalives_idle": "77", "idle_in_transaction_session_timeout": "1234"}),
		},
		"or its options": {
			query: url.Values{"options": {"--tcp_user_timeout=4321"}},
			want:  with(settings{"tcp_user_timeout": "4321"}),
		},
		"on a Unix socket": {unix: true, want: with(socket)},
	}
	dir := socketDir(t)
	server := startServer(t, pgserver.Config{Settings: map[string]string{"unix_socket_directories": dir}})
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			address, err := url.Parse(server.URL("postgres"))
			if err != nil {
				t.Fatal(err)
			}
			query := address.Query()
			maps.Copy(query, test.query)
			if test.unix {
				query.Set("host", dir)
				query.Set("port", address.Port())
				address.Host = ""
			}
			address.RawQuery = query.Encode()
			db := sqltest.Open(t, address.String())
			type setting struct {
				Name    string `db:"name"`
				Setting string `db:"setting"`
			}
			got := settings{}
			err = db.Read(t.Context(), func(tx *sqldb.Tx) error {
				rows, err := sqldb.Select[setting](t.Context(), tx, `SELECT name, setting FROM pg_settings`)
				for _, row := range rows {
					if slices.Contains(slices.Collect(maps.Keys(ours)), row.Name) {
						got[row.Name] = row.Setting
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error("settings (-want +got):\n" + diff)
			}
		})
	}
}

func TestSessionThatTheServerEndedInTheMiddleOfATransactionIsInfrastructure(t *testing.T) {
	address, err := url.Parse(sqltest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("idle_in_transaction_session_timeout", "50")
	address.RawQuery = query.Encode()
	watched, other := sqltest.Open(t, address.String()), sqltest.Open(t, address.String())
	migrateItems(t, other)
	ctx := t.Context()
	err = watched.Tx(ctx, func(tx *sqldb.Tx) error {
		pid, err := sqldb.Get[int64](ctx, tx, `SELECT pg_backend_pid()`)
		if err != nil {
			return err
		}
		for alive := int64(1); alive > 0; { // the server ends it while it idles here
			err = other.Read(ctx, func(tx *sqldb.Tx) (err error) {
				alive, err = sqldb.Get[int64](ctx, tx, `SELECT count(*) FROM pg_stat_activity WHERE pid = $1`, pid)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if !sqldb.IsUnavailable(err) {
		t.Errorf("commit: %v", err)
	}
	mustInsert(t, watched, item{Key: "the pool still works"})
}

func TestStandbyIsInfrastructureToWhoWrites(t *testing.T) {
	dir := socketDir(t)
	server := startServer(t, pgserver.Config{Dir: dir})
	migrateItems(t, sqltest.Open(t, server.URL("postgres")))
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "standby.signal"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	server = startServer(t, pgserver.Config{Dir: dir})
	db := sqltest.Open(t, server.URL("postgres"))
	if err := insertItems(t.Context(), db, item{Key: "a"}); !sqldb.IsUnavailable(err) {
		t.Errorf("a write: %v", err)
	}
	if got := selectItems(t, db); len(got) != 0 {
		t.Errorf("read %v", got)
	}
	err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM items`)
		return err
	})
	if err == nil || sqldb.IsUnavailable(err) {
		t.Errorf("a write within Read, which no other server would take: %v", err)
	}
}

func TestWriteThatTheServerRefusesToAllIsInfrastructure(t *testing.T) {
	db := sqltest.Postgres(t)
	migrateItems(t, db)
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET TRANSACTION READ ONLY`); err != nil {
			t.Error(err)
		}
		_, err := tx.Exec(t.Context(), `DELETE FROM items`)
		return err
	})
	if !sqldb.IsUnavailable(err) {
		t.Errorf("error %v", err)
	}
}

// startServer starts a server of the test's own, stopped when the test ends.
func startServer(t *testing.T, cfg pgserver.Config) *pgserver.Server {
	t.Helper()
	server, err := pgserver.Start(t.Context(), cfg)
	if errors.Is(err, pgserver.ErrNotInstalled) {
		sqltest.PostgresURL(t) // skips, or fails where CI=true
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// socketDir is a folder that every user may enter and write to, with a path short enough for a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sqldb-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}
