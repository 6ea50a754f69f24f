package service

import (
	"context"
	"errors"
	"io/fs"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// openDatabase waits for the database, then migrates it or, if that is another's job, for its migration.
func openDatabase(ctx context.Context, cfg Config, health *health, own fs.FS) (*sqldb.DB, error) {
	var db *sqldb.DB
	err := health.await(ctx, partStart, "database", func() (err error) {
		db, err = sqldb.Open(ctx, cfg.DatabaseURL, cfg.DatabaseOptions...)
		return of("DATABASE_URL", err)
	})
	if err != nil {
		return nil, err
	}
	err = health.await(ctx, partStart, "migration", func() error {
		if cfg.SkipMigrations {
			return migrated(ctx, db, own)
		}
		return migrate(ctx, db, own)
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
