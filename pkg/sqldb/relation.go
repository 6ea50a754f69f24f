package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Relation is a transaction with a slice of structs offered as a relation named rows. See [Tx.With].
type Relation struct {
	tx   *Tx
	rows any
}

// With offers rows, a slice of structs, to the next statement as a relation named rows, with a column for every field
// that has a `db:"column"` tag:
//
//	tx.With(lines).Exec(ctx, `
//		INSERT INTO lines (sku, quantity) SELECT sku, quantity FROM rows WHERE true ORDER BY sku`)
//
// Fields are of kind string, int64, int, bool, []byte, time.Time or pointers to them; nil is NULL. The statement's own
// parameters are $1 … $k. A statement that begins with WITH is merged. An empty or nil slice is a relation without
// rows. SQLite needs a WHERE between FROM rows and ON CONFLICT, hence the WHERE true.
func (tx *Tx) With(rows any) Relation { return Relation{tx: tx, rows: rows} }

// Exec is [Tx.Exec] with the relation.
func (r Relation) Exec(ctx context.Context, query string, args ...any) (affected int64, err error) {
	query, args, err = r.bind(query, args)
	if err != nil {
		return 0, err
	}
	return r.tx.exec(ctx, query, args)
}

// Query is [Tx.Query] with the relation.
func (r Relation) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query, args, err := r.bind(query, args)
	if err != nil {
		return nil, err
	}
	return r.tx.query(ctx, query, args)
}

// bind puts the relation before the statement and its parameters after the statement's own.
func (r Relation) bind(query string, args []any) (string, []any, error) {
	args, err := r.tx.arguments(args)
	if err != nil {
		return "", nil, err
	}
	plan, rows, err := planOf(r.rows)
	if err != nil {
		return "", nil, err
	}
	if r.tx.dialect == Postgres {
		columns, err := plan.arrays(rows)
		if err != nil {
			return "", nil, err
		}
		return merge(plan.unnest(len(args)+1), query), append(args, columns...), nil
	}
	text, err := plan.json(rows)
	if err != nil {
		return "", nil, err
	}
	return merge(plan.jsonbEach(len(args)+1), query), append(args, text), nil
}

var leadingWith = regexp.MustCompile(`(?i)^\s*WITH(\s+RECURSIVE)?\s`)

// merge puts a common table expression before the statement, which may have its own.
func merge(expression, query string) string {
	at := leadingWith.FindStringSubmatchIndex(query)
	if at == nil {
		return "WITH " + expression + " " + query
	}
	recursive := ""
	if at[2] >= 0 {
		recursive = "RECURSIVE "
	}
	return "WITH " + recursive + expression + ", " + query[at[1]:]
}

// unnest is the relation over one array a column, the first of them parameter first.
func (p *plan) unnest(first int) string {
	var b strings.Builder
	b.WriteString("rows AS (SELECT * FROM unnest(")
	for i, c := range p.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d::%s[]", first+i, c.kind.postgres())
	}
	b.WriteString(") AS r(" + p.names + "))")
	return b.String()
}

// jsonbEach is the relation over one parameter, a JSON array of arrays. It reads a row's JSON once, json_each once a
// column.
func (p *plan) jsonbEach(parameter int) string {
	var b strings.Builder
	b.WriteString("rows(" + p.names + ") AS (SELECT ")
	for i, c := range p.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		if c.kind == kindBytes {
			fmt.Fprintf(&b, "unhex(value->>%d)", i)
		} else {
			fmt.Fprintf(&b, "value->>%d", i)
		}
	}
	b.WriteString(" FROM jsonb_each($" + strconv.Itoa(parameter) + "))")
	return b.String()
}
