package checker

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

func readDatabases(ctx context.Context, from Sources, s *State) error {
	if from.Databases == nil {
		return nil
	}
	s.Databases = make(map[string]Database, len(from.Databases))
	for name, db := range from.Databases {
		d, err := readDatabase(ctx, name, db)
		if err != nil {
			return fmt.Errorf("look into the database of %s: %w", name, err)
		}
		s.Databases[name] = d
	}
	return nil
}

func readDatabase(ctx context.Context, name string, db *sqldb.DB) (d Database, err error) {
	// As good as nothing is deleted there, so SQLite numbers rows as they are written. PostgreSQL keeps no such order.
	inOrder := ""
	if d.InOrder = db.Dialect() == sqldb.SQLite; d.InOrder {
		inOrder = ` ORDER BY rowid`
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) (err error) {
		if d.Inbox, err = sqldb.Select[InboxRow](ctx, tx,
			`SELECT scope, id, state, digest, resource, attempts, handled_at FROM inbox`+inOrder); err != nil {
			return err
		}
		if d.Letters, err = sqldb.Select[Letter](ctx, tx, `
			SELECT scope, id, coalesce(partition_id, 0) AS partition_id, coalesce(record_offset, 0) AS record_offset,
				record_key, record_value, coalesce(headers, '') AS headers, class, error
			FROM letters ORDER BY seq`); err != nil {
			return err
		}
		if d.Rulings, err = sqldb.Select[Ruling](ctx, tx,
			`SELECT scope, id, action, operator FROM rulings ORDER BY seq`); err != nil {
			return err
		}
		if d.Outbox, err = sqldb.Get[int](ctx, tx, `SELECT count(*) AS waiting FROM outbox`); err != nil {
			return err
		}
		if name != "inventory" {
			return nil
		}
		d.Movements, err = sqldb.Select[Movement](ctx, tx,
			`SELECT order_id, sku, version, kind, quantity, event_id FROM movements`+inOrder)
		return err
	})
	return d, err
}
