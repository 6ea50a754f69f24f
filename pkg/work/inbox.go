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

// Migrations creates the tables of inbox, letters and rulings, under the name "work".
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// States of a row. Done is final, and so is discarded, which only a ruling gives; what is parked or dead is open.
const (
	stateDone   = "done"
	stateParked = "parked"
	stateDead   = "dead"

	// scopeProbe is that of rows which are deleted in the transaction that inserts them.
	scopeProbe = "probe"
)

type inboxKey struct {
	Scope string `db:"scope"`
	ID    string `db:"id"`
}

type inboxRow struct {
	Scope    string     `db:"scope"`
	ID       string     `db:"id"`
	State    string     `db:"state"`
	Digest   []byte     `db:"digest"`
	Status   int64      `db:"status"`
	Resource string     `db:"resource"`
	Attempts int64      `db:"attempts"`
	Handled  *time.Time `db:"handled_at"` // never null in the table
}

func (r inboxRow) open() bool { return r.State == stateParked || r.State == stateDead }

func (r inboxRow) matches(digest [32]byte) bool { return string(r.Digest) == string(digest[:]) }

func (r inboxRow) receipt() Receipt {
	return Receipt{Key: r.Resource, Status: int(r.Status), Repeated: true}
}

// selectHandled reads rows of the inbox.
const selectHandled = `
		SELECT i.scope, i.id, i.state, i.digest, i.status, i.resource, i.attempts, i.handled_at
		FROM inbox i JOIN rows ON rows.scope = i.scope AND rows.id = i.id`

// findHandled returns the inbox rows of keys, of those that were consumed before.
func findHandled(ctx context.Context, tx *sqldb.Tx, keys []inboxKey) (map[inboxKey]inboxRow, error) {
	rows, err := sqldb.Select[inboxRow](ctx, tx.With(keys), selectHandled)
	if err != nil {
		return nil, fmt.Errorf("read the inbox: %w", err)
	}
	handled := make(map[inboxKey]inboxRow, len(rows))
	for _, row := range rows {
		handled[inboxKey{row.Scope, row.ID}] = row
	}
	return handled, nil
}

// insertHandled fails with a duplicate key, and so with a conflict, if another process consumed one of rows meanwhile.
func insertHandled(ctx context.Context, tx *sqldb.Tx, rows []inboxRow) error {
	_, err := tx.With(rows).Exec(ctx, `
		INSERT INTO inbox (scope, id, state, digest, status, resource, attempts, handled_at)
		SELECT scope, id, state, digest, status, resource, attempts, handled_at FROM rows
		WHERE true ORDER BY scope, id`)
	if err != nil {
		return fmt.Errorf("insert %d rows into the inbox: %w", len(rows), err)
	}
	return nil
}

// findDue returns those of the timers and answers among known that are parked and whose time has come.
func findDue(ctx context.Context, tx *sqldb.Tx, known map[inboxKey]inboxRow, now time.Time) (map[inboxKey]bool,
	error) {
	var parked []inboxKey
	for key, row := range known {
		if row.State == stateParked && (key.Scope == ScopeTimer || key.Scope == ScopeCall) {
			parked = append(parked, key)
		}
	}
	if len(parked) == 0 {
		return nil, nil
	}
	rows, err := sqldb.Select[inboxKey](ctx, tx.With(parked), `
		SELECT l.scope, l.id FROM letters l JOIN rows ON rows.scope = l.scope AND rows.id = l.id
		WHERE l.retry_at <= $1`, now)
	if err != nil {
		return nil, fmt.Errorf("look for due letters: %w", err)
	}
	due := make(map[inboxKey]bool, len(rows))
	for _, key := range rows {
		due[key] = true
	}
	return due, nil
}

// streamRow is a topic and key as a relation.
type streamRow struct {
	Scope string `db:"scope"`
	Key   string `db:"key"`
}

// askedRow is a message as the inbox is asked about it. Key is empty unless it may have to queue behind others.
type askedRow struct {
	Scope string `db:"scope"`
	ID    string `db:"id"`
	Key   string `db:"key"`
}

// find returns the inbox rows of those messages that were consumed before, and the streams whose queue is open.
func find(ctx context.Context, tx *sqldb.Tx, asked []askedRow) (map[inboxKey]inboxRow, map[stream]bool, error) {
	open, err := findOpen(ctx, tx, asked)
	if err != nil {
		return nil, nil, err
	}
	keys := make([]inboxKey, len(asked))
	for i, a := range asked {
		keys[i] = inboxKey{a.Scope, a.ID}
	}
	known, err := findHandled(ctx, tx, keys)
	if err != nil {
		return nil, nil, err
	}
	// Another process may have set one aside between the two: what comes behind it in this batch must not go by what
	// was seen before that.
	for _, a := range asked {
		if row := known[inboxKey{a.Scope, a.ID}]; a.Key != "" && row.open() {
			open[stream{a.Scope, a.Key}] = true
		}
	}
	return known, open, nil
}

// fewStreams is how many open streams are read as they are. Of more, only those that are asked about. The statement's
// limit is one more.
const fewStreams = 64

// findOpen returns those streams asked about, and maybe others, that have rows which are parked or dead. As a rule
// there is none or hardly any, so the index is asked for the next stream and the next, however long the queues are.
func findOpen(ctx context.Context, tx *sqldb.Tx, asked []askedRow) (map[stream]bool, error) {
	rows, err := sqldb.Select[streamRow](ctx, tx, `
		WITH RECURSIVE streams (scope, key) AS (
			SELECT (SELECT scope FROM inbox WHERE state IN ('parked', 'dead') ORDER BY scope, resource LIMIT 1),
				(SELECT resource FROM inbox WHERE state IN ('parked', 'dead') ORDER BY scope, resource LIMIT 1)
			UNION ALL
			SELECT CASE WHEN EXISTS (
					SELECT 1 FROM inbox i
					WHERE i.state IN ('parked', 'dead') AND i.scope = s.scope AND i.resource > s.key) THEN s.scope
				ELSE (
					SELECT i.scope FROM inbox i
					WHERE i.state IN ('parked', 'dead') AND i.scope > s.scope ORDER BY i.scope, i.resource LIMIT 1) END,
				coalesce((
					SELECT i.resource FROM inbox i
					WHERE i.state IN ('parked', 'dead') AND i.scope = s.scope AND i.resource > s.key
					ORDER BY i.resource LIMIT 1), (
					SELECT i.resource FROM inbox i
					WHERE i.state IN ('parked', 'dead') AND i.scope > s.scope ORDER BY i.scope, i.resource LIMIT 1))
			FROM streams s WHERE s.scope IS NOT NULL
		)
		SELECT scope, key FROM streams WHERE scope IS NOT NULL LIMIT 65`)
	if err != nil {
		return nil, fmt.Errorf("look for open streams: %w", err)
	}
	if len(rows) > fewStreams {
		if rows, err = sqldb.Select[streamRow](ctx, tx.With(asked), `
			SELECT DISTINCT rows.scope, rows.key FROM rows
			WHERE rows.key <> '' AND EXISTS (
				SELECT 1 FROM inbox i
				WHERE i.scope = rows.scope AND i.resource = rows.key AND i.state IN ('parked', 'dead'))`); err != nil {
			return nil, fmt.Errorf("look for open streams: %w", err)
		}
	}
	open := make(map[stream]bool, len(rows))
	for _, row := range rows {
		open[stream{row.Scope, row.Key}] = true
	}
	return open, nil
}
