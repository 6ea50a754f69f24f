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

// openDatabase waits for the database, then migrates it or, if that is another's job, for its migration.
func openDatabase(ctx context.Context, cfg Config, health *health, own fs.FS) (*sqldb.DB, error) {
	var db *sqldb.DB
	err := health.await(ctx, partStart, "database", func() (err error) {
		db, err = sqldb.Open(ctx, cfg.DatabaseURL, cfg.DatabaseOptions...)
		return err
	})
	if err != nil {
		return nil, err
	}
	tables := []struct {
		name string
		fs   fs.FS
	}{{"work", work.Migrations()}, {"outbox", outbox.Migrations()}, {"service", own}}
	err = health.await(ctx, partStart, "migration", func() error {
		for _, t := range tables {
			if !cfg.SkipMigrations {
				if err := sqldb.Migrate(ctx, db, t.fs, t.name); err != nil {
					return err
				}
				failpoint.Hit(failpoint.Migrated)
				continue
			}
			pending, err := sqldb.Pending(ctx, db, t.fs, t.name)
			if err != nil {
				return err
			}
			if len(pending) > 0 {
				return fmt.Errorf("the database lacks the migrations %v of %s; run the migration job", pending, t.name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
