package service_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

func TestAServiceThatOnlyMigratesEndsWithItsTables(t *testing.T) {
	url := "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "till.db"))
	cfg := service.Config{MigrateOnly: true}.WithDefaults("127.0.0.1:1", "127.0.0.1:2", url)
	for range 2 { // it may be repeated
		if err := service.Run(t.Context(), cfg, newTill(nil)); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqldb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only looked at
	var tables []string
	err = db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
		tables, err = sqldb.Select[string](t.Context(), tx, "SELECT name FROM sqlite_master WHERE type = 'table'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"till", "inbox", "outbox"} {
		if !slices.Contains(tables, want) {
			t.Errorf("there is no table %s: %v", want, tables)
		}
	}
}

func TestAJobThatCannotMigrateSaysWhy(t *testing.T) {
	cfg := service.Config{MigrateOnly: true}.WithDefaults("127.0.0.1:1", "127.0.0.1:2", "sqlite:///no/such/folder/till.db")
	if err := service.Run(t.Context(), cfg, newTill(nil)); err == nil {
		t.Error("no error")
	}
	cfg.SkipMigrations = true
	if err := service.Run(t.Context(), cfg, newTill(nil)); err == nil ||
		!strings.Contains(err.Error(), "QUADRILLE_MIGRATE_ONLY and QUADRILLE_SKIP_MIGRATIONS contradict") {
		t.Errorf("both: %v", err)
	}
}
