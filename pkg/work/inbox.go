package work

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations creates the inbox table, under the name "work".
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

const (
	stateDone = "done"

	// scopeProbe is that of rows which are deleted in the transaction that inserts them.
	scopeProbe = "probe"
)

type inboxKey struct {
	Scope string `db:"scope"`
	ID    string `db:"id"`
}

type inboxRow struct {
	Scope    string    `db:"scope"`
	ID       string    `db:"id"`
	State    string    `db:"state"`
	Digest   []byte    `db:"digest"`
	Status   int64     `db:"status"`
	Resource string    `db:"resource"`
	Handled  time.Time `db:"handled_at"`
}

func (r inboxRow) matches(digest [32]byte) bool { return string(r.Digest) == string(digest[:]) }

func (r inboxRow) receipt() Receipt {
	return Receipt{Key: r.Resource, Status: int(r.Status), Repeated: true}
}

// findHandled returns the inbox rows of keys that were handled before.
func findHandled(ctx context.Context, tx *sqldb.Tx, keys []inboxKey) (map[inboxKey]inboxRow, error) {
	rows, err := sqldb.Select[inboxRow](ctx, tx.With(keys), `
		SELECT i.scope, i.id, i.state, i.digest, i.status, i.resource, i.handled_at
		FROM inbox i JOIN rows ON rows.scope = i.scope AND rows.id = i.id`)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	handled := make(map[inboxKey]inboxRow, len(rows))
	for _, row := range rows {
		handled[inboxKey{row.Scope, row.ID}] = row
	}
	return handled, nil
}

// insertHandled fails with a duplicate key, and so with a conflict, if another process handled one of rows meanwhile.
func insertHandled(ctx context.Context, tx *sqldb.Tx, rows []inboxRow) error {
	_, err := tx.With(rows).Exec(ctx, `
		INSERT INTO inbox (scope, id, state, digest, status, resource, handled_at)
		SELECT scope, id, state, digest, status, resource, handled_at FROM rows WHERE true ORDER BY scope, id`)
	if err != nil {
		return fmt.Errorf("insert %d rows into the inbox: %w", len(rows), err)
	}
	return nil
}
