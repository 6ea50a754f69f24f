package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrator lends a database handle for migrations, to be closed by release.
type migrator func(context.Context) (handle *sql.DB, release func(), err error)

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// Migrate applies what is missing of the migrations at the top of fsys, files such as 00001_orders.sql in the format
// of goose. It remembers them in the table goose_<name>, so that several sets, each with a name of its own, share a
// database. On PostgreSQL several processes may migrate at once; the others wait.
//
// The text is PostgreSQL's. For SQLite these words are translated: BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
// TIMESTAMPTZ, BYTEA, JSONB, COLLATE "C".
func Migrate(ctx context.Context, db *DB, fsys fs.FS, name string) error {
	err := db.migrate(ctx, fsys, name, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42501" { // insufficient_privilege
		err = fmt.Errorf("the user may not change the schema; make it the owner of the database: %w", err)
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", name, err)
	}
	return nil
}

// Revert takes back every migration of a set, the newest first, and the data with them. It is for tests of the way
// back: a release is taken back by the next one, which goes forward.
func Revert(ctx context.Context, db *DB, fsys fs.FS, name string) error {
	err := db.migrate(ctx, fsys, name, func(p *goose.Provider) error {
		_, err := p.DownTo(ctx, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("revert %s: %w", name, err)
	}
	return nil
}

// Pending names the migrations that [Migrate] would apply, oldest first. It changes nothing of the schema they make.
func Pending(ctx context.Context, db *DB, fsys fs.FS, name string) ([]string, error) {
	var pending []string
	err := db.migrate(ctx, fsys, name, func(p *goose.Provider) error {
		status, err := p.Status(ctx)
		for _, s := range status {
			if s.State == goose.StatePending {
				pending = append(pending, s.Source.Path)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pending migrations of %s: %w", name, err)
	}
	return pending, nil
}

func (db *DB) migrate(ctx context.Context, fsys fs.FS, name string, do func(*goose.Provider) error) error {
	if !migrationName.MatchString(name) {
		return errors.New("the name must be a lower-case identifier of at most 41 characters")
	}
	handle, release, err := db.migrator(ctx)
	if err != nil {
		return err
	}
	defer release()
	dialect := goose.DialectPostgres
	options := []goose.ProviderOption{goose.WithTableName("goose_" + name), goose.WithDisableGlobalRegistry(true)}
	if db.dialect == SQLite {
		dialect, fsys = goose.DialectSQLite3, translated{fsys}
	} else {
		// It polls: whoever waits inside pg_advisory_lock blocks CREATE INDEX CONCURRENTLY of the one that has it.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, handle, fsys, options...)
	if err != nil {
		return err
	}
	return do(provider)
}
