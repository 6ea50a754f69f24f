package sqldb_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// openVariable makes this test binary a process that only opens a database, and prints why it cannot.
const openVariable = "SQLDB_TEST_OPEN"

func TestMain(m *testing.M) {
	if address := os.Getenv(openVariable); address != "" {
		_, err := sqldb.Open(context.Background(), address)
		fmt.Print(err)
		return
	}
	m.Run()
}

func TestOpenNamesTheCauseAndTheCure(t *testing.T) {
	dir := t.TempDir()
	noDatabase := filepath.Join(dir, "text.db")
	if err := os.WriteFile(noDatabase, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		url  string
		want []string
	}{
		"no scheme":         {"orders.db", []string{"postgres://", "sqlite:"}},
		"two slashes":       {"sqlite://orders.db", []string{"sqlite:///absolute"}},
		"no file":           {"sqlite:", []string{"must name a file"}},
		"memory":            {"sqlite::memory:", []string{"must name a file"}},
		"no folder":         {"sqlite://" + dir + "/none/a.db", []string{"folder does not exist", "create it"}},
		"not a SQLite file": {"sqlite://" + noDatabase, []string{"not a SQLite file", "name another"}},
		"nobody listens":    {"postgres://u:secret@127.0.0.1:1/d", []string{"127.0.0.1:1 cannot be reached", "start it"}},
		"a broken url":      {"postgres://u:secret@127.0.0.1:port/d", []string{"parse"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { wantOpenError(t, test.url, test.want...) })
	}
	t.Run("no such database", func(t *testing.T) {
		address, err := url.Parse(sqltest.PostgresURL(t))
		if err != nil {
			t.Fatal(err)
		}
		address.Path = "/nowhere"
		wantOpenError(t, address.String(), `no database "nowhere"`, "createdb nowhere")
	})
	t.Run("no such user", func(t *testing.T) {
		address, err := url.Parse(sqltest.PostgresURL(t))
		if err != nil {
			t.Fatal(err)
		}
		address.User = url.UserPassword("nobody", "secret")
		wantOpenError(t, address.String(), `does not let user "nobody" in`, "create the user")
	})
}

func wantOpenError(t *testing.T, address string, want ...string) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), address)
	if err == nil {
		_ = db.Close()
		t.Fatal("no error")
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error %q repeats the password", err)
	}
}

func TestSecondProcessOnASQLiteFileIsRefused(t *testing.T) {
	address := sqltest.SQLiteURL(t)
	db := sqltest.Open(t, address)
	wantOpenError(t, address, "another process has it open", "stop that one")

	open := func() string {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), openVariable+"="+address)
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatal(err, string(output))
		}
		return string(output)
	}
	if got := open(); !strings.Contains(got, "another process has it open") {
		t.Errorf("the second process says %q", got)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := open(); got != "<nil>" {
		t.Errorf("after Close the second process says %q", got)
	}
}

func TestSQLiteFileMayHaveAnyName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a %41 &=+ é.db")
	db := sqltest.Open(t, "sqlite://"+path)
	migrateItems(t, db)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	t.Chdir(filepath.Dir(path))
	relative := sqltest.Open(t, "sqlite:relative.db")
	migrateItems(t, relative)
	if _, err := os.Stat("relative.db"); err != nil {
		t.Error(err)
	}
}
