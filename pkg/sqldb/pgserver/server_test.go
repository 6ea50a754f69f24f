package pgserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
)

// ownerVariable makes this test binary a process that starts a server, prints its url and waits to be killed.
const ownerVariable = "PGSERVER_TEST_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerVariable) == "" {
		m.Run()
		return
	}
	server, err := pgserver.Start(context.Background(), pgserver.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.URL("postgres"))
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func TestServerIsGoneWithItsFilesAfterStop(t *testing.T) {
	t.Setenv("TMPDIR", traversable(t))
	server := start(t, pgserver.Config{})
	address := server.URL("postgres")
	query(t, address, "SELECT 1")
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	wantGone(t, address, os.TempDir())
	if err := server.Stop(); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestServerIsGoneWithItsFilesWhenItsOwnerIsKilled(t *testing.T) {
	start(t, pgserver.Config{}) // skips without binaries
	dir := traversable(t)
	owner := exec.CommandContext(t.Context(), os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"=1", "TMPDIR="+dir)
	if _, err := owner.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(line)
	query(t, address, "SELECT 1")
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	wantGone(t, address, dir)
}

func TestDurabilityAndSettings(t *testing.T) {
	tests := map[string]struct {
		cfg  pgserver.Config
		want string
	}{
		"default": {pgserver.Config{}, "off off off 4MB"},
		"durable": {pgserver.Config{Durable: true, Settings: map[string]string{"work_mem": "8MB"}}, "on on on 8MB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := query(t, start(t, test.cfg).URL("postgres"), `SELECT concat_ws(' ', current_setting('fsync'),
				current_setting('synchronous_commit'), current_setting('full_page_writes'), current_setting('work_mem'))`)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestNamedFolderKeepsItsData(t *testing.T) {
	dir := filepath.Join(traversable(t), "data")
	first := start(t, pgserver.Config{Dir: dir})
	query(t, first.URL("postgres"), "CREATE TABLE kept AS SELECT 7 AS n; SELECT ''")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, pgserver.Config{Dir: dir})
	if got := query(t, second.URL("postgres"), "SELECT n::text FROM kept"); got != "7" {
		t.Errorf("got %s", got)
	}
}

func TestFailedStartSaysWhyAndLeavesNothing(t *testing.T) {
	start(t, pgserver.Config{}) // skips without binaries
	dir := traversable(t)
	t.Setenv("TMPDIR", dir)
	_, err := pgserver.Start(t.Context(), pgserver.Config{Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("error %v does not name the setting", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Setenv(pgserver.BinariesVariable, dir)
	if _, err := pgserver.Start(t.Context(), pgserver.Config{}); err == nil ||
		!strings.Contains(err.Error(), pgserver.BinariesVariable) {
		t.Errorf("error %v does not name the variable", err)
	}
}

// start starts a server that stops when the test ends.
func start(t *testing.T, cfg pgserver.Config) *pgserver.Server {
	t.Helper()
	server, err := pgserver.Start(t.Context(), cfg)
	if errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NOT TESTED ON POSTGRESQL: %v", err)
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

// traversable is a temporary folder that the server's user may enter.
func traversable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgserver-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func query(t *testing.T, address, statement string) (value string) {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	results, err := conn.PgConn().Exec(t.Context(), statement).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(results[len(results)-1].Rows[0][0])
}

// wantGone waits until nobody listens at address and dir is empty.
func wantGone(t *testing.T, address, dir string) {
	t.Helper()
	var left []os.DirEntry
	var listening bool
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := pgx.Connect(t.Context(), address)
		if listening = err == nil; listening {
			_ = conn.Close(t.Context())
		}
		if left, _ = os.ReadDir(dir); !listening && len(left) == 0 {
			return
		}
	}
	t.Errorf("after a minute: listening %v, left behind %v", listening, left)
}
