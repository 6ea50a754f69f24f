package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// tables are a set of migrations and the name that it is remembered by.
type tables struct {
	name string
	fs   fs.FS
}

// allTables of a service's database; own are those that no other service has.
func allTables(own fs.FS) []tables {
	return []tables{{"work", work.Migrations()}, {"outbox", outbox.Migrations()}, {"service", own}}
}

// migrateOnly is all that a service does that was told to migrate its database and end. It does not wait for the
// database: whoever runs it as a job is to see why it failed.
func migrateOnly(ctx context.Context, cfg Config, own fs.FS) (err error) {
	db, err := sqldb.Open(ctx, cfg.DatabaseURL, cfg.DatabaseOptions...)
	if err != nil {
		return of("DATABASE_URL", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return migrate(ctx, db, own)
}

func migrate(ctx context.Context, db *sqldb.DB, own fs.FS) error {
	for _, t := range allTables(own) {
		if err := sqldb.Migrate(ctx, db, t.fs, t.name); err != nil {
			return err
		}
		failpoint.Hit(failpoint.Migrated)
	}
	return nil
}

// migrated is nil once another has migrated the database.
func migrated(ctx context.Context, db *sqldb.DB, own fs.FS) error {
	for _, t := range allTables(own) {
		pending, err := sqldb.Pending(ctx, db, t.fs, t.name)
		if err != nil {
			return err
		}
		if len(pending) > 0 {
			return fmt.Errorf("the database lacks the migrations %v of %s; run the migration job, "+
				"`quadrille apply --databases NAME=URL`", pending, t.name)
		}
	}
	return nil
}
