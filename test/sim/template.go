package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// Templates makes a migrated database of each service in dir.
func Templates(ctx context.Context, dir string) error {
	own := map[string]fs.FS{
		order.Name:        order.Definition(order.Config{}).Migrations,
		inventory.Name:    inventory.Definition(inventory.Config{}).Migrations,
		payment.Name:      payment.Definition(payment.Config{}).Migrations,
		notification.Name: notification.Definition(notification.Config{}).Migrations,
	}
	for _, s := range services {
		if err := migrate(ctx, filepath.Join(dir, s+".db"), own[s]); err != nil {
			return fmt.Errorf("database of %s: %w", s, err)
		}
	}
	return nil
}

func migrate(ctx context.Context, path string, own fs.FS) error {
	db, err := sqldb.Open(ctx, "sqlite:"+path)
	if err != nil {
		return err
	}
	for name, migrations := range map[string]fs.FS{
		"work": work.Migrations(), "outbox": outbox.Migrations(), "service": own,
	} {
		if err := sqldb.Migrate(ctx, db, migrations, name); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	return db.Close()
}
