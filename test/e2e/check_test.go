package e2e

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// sources are all that a checker can look at, databases included: those in the data folder, but for those elsewhere.
func (p *platform) sources(t *testing.T, data string, elsewhere map[string]string) checker.Sources {
	t.Helper()
	from := checker.Sources{Client: client.New(p.Addresses), Databases: make(map[string]*sqldb.DB)}
	for name := range p.Services {
		url := elsewhere[name]
		if url == "" {
			url = "sqlite://" + filepath.ToSlash(filepath.Join(data, name+".db"))
		}
		db, err := sqldb.Open(t.Context(), url, sqldb.WithoutFileLock())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		from.Databases[name] = db
	}
	return from
}

// settled waits until nothing goes on any more and returns what is to be seen then.
func settled(t *testing.T, from checker.Sources, recorder *checker.Recorder) checker.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	state, err := checker.Settle(ctx, from)
	if err != nil {
		t.Error(err)
	}
	state.Sent = recorder.Sent()
	return state
}
