package servicetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// snapshot is all that a service knows, and all that it has published.
type snapshot struct {
	// Tables are the rows, as text and sorted, of each table but the outbox.
	Tables map[string][]string
	// Published are events as text, by topic and key, in order.
	Published map[string][]string
}

// compare returns an error that shows how other differs.
func (s snapshot) compare(other snapshot) error {
	if diff := cmp.Diff(s, other); diff != "" {
		return fmt.Errorf("it ends otherwise (-want +got):\n%s", diff)
	}
	return nil
}

// handled is the snapshot without what was set aside: without letters, and their rows of the inbox and copies.
func (s snapshot) handled() snapshot {
	h := snapshot{Tables: maps.Clone(s.Tables), Published: maps.Clone(s.Published)}
	delete(h.Tables, "letters")
	h.Tables["inbox"] = nil
	for _, row := range s.Tables["inbox"] {
		if strings.Contains(row, " state=done ") {
			h.Tables["inbox"] = append(h.Tables["inbox"], row)
		}
	}
	maps.DeleteFunc(h.Published, func(stream string, _ []string) bool {
		topic, _, _ := strings.Cut(stream, " ")
		return strings.HasSuffix(topic, ".deadletter")
	})
	return h
}

// forgetLetters makes what was set aside come as if for the first time.
func forgetLetters(ctx context.Context, db *sqldb.DB) error {
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		for _, statement := range []string{
			`DELETE FROM inbox WHERE state <> 'done'`, `DELETE FROM letters`,
			`DELETE FROM outbox WHERE topic LIKE '%.deadletter'`,
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// tables of the database that are not the migrations' own.
func tables(ctx context.Context, db *sqldb.DB) (names []string, err error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence' ORDER BY name`
	if db.Dialect() == sqldb.Postgres {
		query = `SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename`
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		names, err = sqldb.Select[string](ctx, tx, query)
		return err
	})
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, "goose_") }), err
}

// clearAll empties every table and begins to count anew.
func clearAll(ctx context.Context, db *sqldb.DB) error {
	names, err := tables(ctx, db)
	if err != nil {
		return err
	}
	var statements []string
	if db.Dialect() == sqldb.Postgres {
		statements = []string{`TRUNCATE "` + strings.Join(names, `", "`) + `" RESTART IDENTITY CASCADE`}
	} else {
		statements = []string{"PRAGMA defer_foreign_keys = ON"}
		for _, name := range names {
			statements = append(statements, `DELETE FROM "`+name+`"`)
		}
		statements = append(statements, "DELETE FROM sqlite_sequence")
	}
	return db.Tx(ctx, func(tx *sqldb.Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
}

// look reads the snapshot of the stage's database.
func (s *stage[I, S, E]) look(ctx context.Context) (snapshot, error) {
	end := snapshot{Tables: make(map[string][]string), Published: make(map[string][]string)}
	names, err := tables(ctx, s.db)
	if err != nil {
		return end, err
	}
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		for _, name := range names {
			if name == "outbox" {
				continue
			}
			if end.Tables[name], err = rowsOf(ctx, tx, name); err != nil {
				return fmt.Errorf("read the table %s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return end, err
	}
	published, err := s.published(ctx)
	for _, p := range published {
		stream := p.event.Topic + " " + p.event.Key
		end.Published[stream] = append(end.Published[stream], p.String())
	}
	return end, err
}

func rowsOf(ctx context.Context, tx *sqldb.Tx, table string) ([]string, error) {
	found, err := tx.Query(ctx, `SELECT * FROM "`+table+`"`)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	var rows []string
	for found.Next() {
		if err := found.Scan(targets...); err != nil {
			return nil, err
		}
		fields := make([]string, len(columns))
		for i, column := range columns {
			switch v := values[i].(type) {
			case time.Time:
				fields[i] = column + "=" + v.UTC().Format(time.RFC3339Nano)
			case []byte:
				fields[i] = fmt.Sprintf("%s=%x", column, v)
			default:
				fields[i] = fmt.Sprintf("%s=%v", column, v)
			}
		}
		rows = append(rows, strings.Join(fields, " "))
	}
	slices.Sort(rows)
	return rows, found.Err()
}

// published is a row of the outbox.
type published struct {
	event event.Event
	value []byte
	// fault says why the envelope cannot be read.
	fault error
}

func (p published) String() string {
	return fmt.Sprintf("%s %d of %s at %s, because of %s in %s: %x", p.event.Type, p.event.Sequence, p.event.ID,
		p.event.Time.Format(time.RFC3339Nano), p.event.Cause.ID, p.event.Cause.Correlation, p.value)
}

type outboxRow struct {
	Topic   string `db:"topic"`
	Key     string `db:"key"`
	Headers string `db:"headers"`
	Value   []byte `db:"value"`
}

// published reads the outbox in its order.
func (s *stage[I, S, E]) published(ctx context.Context) (all []published, err error) {
	var rows []outboxRow
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err = sqldb.Select[outboxRow](ctx, tx, `SELECT topic, key, headers, value FROM outbox ORDER BY seq`)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		var pairs [][]string // a third part says that both are in base64, which none of a service's own is
		if err := json.Unmarshal([]byte(row.Headers), &pairs); err != nil {
			return nil, fmt.Errorf("headers in the outbox: %w", err)
		}
		headers := make([]event.Header, len(pairs))
		for i, pair := range pairs {
			headers[i] = event.Header{Key: pair[0], Value: []byte(pair[1])}
		}
		p := published{value: row.Value}
		p.event, p.fault = event.Parse([]byte(row.Key), headers)
		p.event.Topic = row.Topic
		all = append(all, p)
	}
	return all, nil
}
