package servicetest

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Database is a fresh one with the tables of a service. Name is "sqlite" or "postgres". It logs how durable a commit is
// and fails if that is less than production asks for.
func Database(b *testing.B, name string, own fs.FS) *sqldb.DB {
	b.Helper()
	url := sqltest.SQLiteURL
	settings := []setting{{"PRAGMA journal_mode", "wal"}, {"PRAGMA synchronous", "2"}}
	if name == "postgres" {
		url = sqltest.DurablePostgresURL
		settings = []setting{{"SHOW fsync", "on"}, {"SHOW synchronous_commit", "on"}}
	}
	db := sqltest.Open(b, url(b))
	for table, migrations := range map[string]fs.FS{
		"work": work.Migrations(), "outbox": outbox.Migrations(), "service": own,
	} {
		if err := sqldb.Migrate(b.Context(), db, migrations, table); err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range settings {
		s.check(b, db)
	}
	return db
}

// setting of a database, and what it must be.
type setting struct{ query, want string }

func (s setting) check(b *testing.B, db *sqldb.DB) {
	b.Helper()
	err := db.Tx(b.Context(), func(tx *sqldb.Tx) error {
		got, err := sqldb.Get[string](b.Context(), tx, s.query)
		if err == nil && got != s.want {
			err = fmt.Errorf("is %s, not %s", got, s.want)
		}
		b.Logf("durability: %s: %s", s.query, got)
		return err
	})
	if err != nil {
		b.Fatalf("%s: %v", s.query, err)
	}
}

// Codec registers types with the registry behind handler and returns their codec.
func Codec(tb testing.TB, handler http.Handler, types []serde.Type) *serde.Codec {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	client, err := serde.NewClient(server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	if err := serde.Register(tb.Context(), client, types); err != nil {
		tb.Fatal(err)
	}
	codec, err := serde.New(tb.Context(), client, types)
	if err != nil {
		tb.Fatal(err)
	}
	return codec
}

// Encoder is the Encode of a work.Service.
func Encoder(codec *serde.Codec) func(*event.Event) ([]byte, error) {
	return func(e *event.Event) ([]byte, error) {
		t, ok := codec.TypeOf(e.Data)
		if !ok {
			return nil, fmt.Errorf("%T has no schema", e.Data)
		}
		e.Type, e.Topic = t.Name, t.Topic
		return codec.Append(nil, e.Data)
	}
}
