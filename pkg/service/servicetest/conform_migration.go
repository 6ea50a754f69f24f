package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// migrationsGoThereAndBack applies all migrations twice, takes the service's own back, which must leave nothing of
// them, and applies them again.
func (s *stage[I, S, E]) migrationsGoThereAndBack(ctx context.Context) error {
	db := s.empty()
	if err := errors.Join(sqldb.Migrate(ctx, db, work.Migrations(), "work"),
		sqldb.Migrate(ctx, db, outbox.Migrations(), "outbox")); err != nil {
		return err
	}
	bare, err := columns(ctx, db)
	if err != nil {
		return err
	}
	var there []string
	for range 2 {
		for range 2 {
			if err := sqldb.Migrate(ctx, db, s.def.Migrations, "service"); err != nil {
				return err
			}
		}
		migrated, err := columns(ctx, db)
		if err != nil {
			return err
		}
		if there != nil && !slices.Equal(there, migrated) {
			return fmt.Errorf("the second time the columns differ (-first +second):\n%s", cmp.Diff(there, migrated))
		}
		there = migrated
		if err := sqldb.Revert(ctx, db, s.def.Migrations, "service"); err != nil {
			return err
		}
		left, err := columns(ctx, db)
		if err != nil {
			return err
		}
		if !slices.Equal(bare, left) {
			return fmt.Errorf("taken back, they leave (-before +after):\n%s", cmp.Diff(bare, left))
		}
	}
	return nil
}

// columns of all tables.
func columns(ctx context.Context, db *sqldb.DB) (all []string, err error) {
	names, err := tables(ctx, db)
	if err != nil {
		return nil, err
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		for _, name := range names {
			rows, err := tx.Query(ctx, `SELECT * FROM "`+name+`"`)
			if err != nil {
				return err
			}
			found, err := rows.Columns()
			if err := errors.Join(err, rows.Close()); err != nil {
				return err
			}
			for _, column := range found {
				all = append(all, name+"."+column)
			}
		}
		return nil
	})
	return all, err
}
