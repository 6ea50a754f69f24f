package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Querier is a [*Tx] or a [Relation].
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	transaction() *Tx
}

func (tx *Tx) transaction() *Tx     { return tx }
func (r Relation) transaction() *Tx { return r.tx }

// ErrTooMany is why [Get] refuses more than one row.
var ErrTooMany = errors.New("more than one row")

// Select returns all rows of a query. T is a struct whose `db` tags name the columns, one field a column and one column
// a field, or a type that a column holds, such as string or *int64. NULL needs a pointer or []byte. Times are UTC.
// Without rows it returns nil.
func Select[T any](ctx context.Context, q Querier, query string, args ...any) (all []T, err error) {
	p, err := planFor(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = rows.Close()
		if failed := rows.Err(); failed != nil {
			all, err = nil, q.transaction().fail(ctx, failed)
		}
	}()
	columns, err := p.order(rows)
	if err != nil {
		return nil, err
	}
	targets := make([]any, len(columns))
	for rows.Next() {
		var row T
		v := reflect.ValueOf(&row).Elem()
		for i, c := range columns {
			field := v
			if !p.scalar {
				field = v.FieldByIndex(c.index)
			}
			targets[i] = c.target(field)
		}
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// Get returns the only row of a query, as [Select] does. Without a row the error is [sql.ErrNoRows], with more than one
// it is [ErrTooMany]; the transaction goes on after either.
func Get[T any](ctx context.Context, q Querier, query string, args ...any) (T, error) {
	all, err := Select[T](ctx, q, query, args...)
	var none T
	switch {
	case err != nil:
		return none, err
	case len(all) == 0:
		return none, sql.ErrNoRows
	case len(all) > 1:
		return none, ErrTooMany
	default:
		return all[0], nil
	}
}

// order returns the columns of the plan in the order of the result's.
func (p *plan) order(rows *sql.Rows) ([]*column, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if len(names) != len(p.columns) {
		return nil, fmt.Errorf("the query returns columns %q, not %s", names, p.wanted())
	}
	columns := make([]*column, len(names))
	for i, name := range names {
		at := slices.IndexFunc(p.columns, func(c column) bool { return p.scalar || c.name == name })
		if at < 0 || slices.Contains(columns, &p.columns[at]) {
			return nil, fmt.Errorf("the query returns columns %q, not %s", names, p.wanted())
		}
		columns[i] = &p.columns[at]
	}
	return columns, nil
}

func (p *plan) wanted() string {
	if p.scalar {
		return "one"
	}
	return p.names
}
