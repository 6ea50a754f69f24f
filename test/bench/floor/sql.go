package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	begin    = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	beginOne = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
)

// rows begins a statement with a relation called rows. Each column, such as "seq bigint", is an array, and the
// parameter of its number.
func rows(columns ...string) string {
	arrays, names := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		name, kind, _ := strings.Cut(c, " ")
		arrays[i], names[i] = fmt.Sprintf("$%d::%s[]", i+1, kind), `"`+name+`"`
	}
	return "WITH rows AS (SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") AS r(" +
		strings.Join(names, ", ") + ")) "
}

// column returns one of all, as a parameter of rows.
func column[R, V any](all []R, of func(R) V) []V {
	values := make([]V, len(all))
	for i, r := range all {
		values[i] = of(r)
	}
	return values
}

// same is a column of equal values.
func same[V any](n int, value V) []V {
	values := make([]V, n)
	for i := range values {
		values[i] = value
	}
	return values
}

// instant is now, as the databases keep it.
func instant() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// keysOf returns the keys of messages, each once, in their order.
func keysOf(messages []*message) []string {
	seen := make(map[string]bool, len(messages))
	var keys []string
	for _, m := range messages {
		if !seen[m.key] {
			seen[m.key] = true
			keys = append(keys, m.key)
		}
	}
	return keys
}

const selectOpen = `
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
	SELECT scope, key FROM streams WHERE scope IS NOT NULL LIMIT 65`

var selectHandled = rows("scope text", "id text") + `
	SELECT i.scope, i.id, i.state, i.digest, i.status, i.resource, i.attempts, i.handled_at
	FROM inbox i JOIN rows ON rows.scope = i.scope AND rows.id = i.id`

// lookUp returns the messages that were not handled before.
func lookUp(ctx context.Context, tx *pgx.Conn, messages []*message) (fresh []*message, err error) {
	if _, err := tx.Exec(ctx, selectOpen); err != nil {
		return nil, err
	}
	var scopes, ids []string
	for _, m := range messages {
		scopes, ids = append(scopes, m.scope), append(ids, m.id)
		if m.letter != "" {
			scopes, ids = append(scopes, m.scope), append(ids, m.letter)
		}
	}
	found, err := tx.Query(ctx, selectHandled, scopes, ids)
	if err != nil {
		return nil, err
	}
	handled := make(map[[2]string]bool)
	var scope, id string
	_, err = pgx.ForEachRow(found, []any{&scope, &id, nil, nil, nil, nil, nil, nil}, func() error {
		handled[[2]string{scope, id}] = true
		return nil
	})
	for _, m := range messages {
		if !handled[[2]string{m.scope, m.id}] {
			fresh = append(fresh, m)
		}
	}
	return fresh, err
}

var insertHandled = rows("scope text", "id text", "state text", "digest bytea", "status bigint", "resource text",
	"attempts bigint", "handled_at timestamptz") + `
	INSERT INTO inbox (scope, id, state, digest, status, resource, attempts, handled_at)
	SELECT scope, id, state, digest, status, resource, attempts, handled_at FROM rows
	WHERE true ORDER BY scope, id`

func markDone(ctx context.Context, tx *pgx.Conn, all []*message, now time.Time) error {
	n := len(all)
	_, err := tx.Exec(ctx, insertHandled,
		column(all, func(m *message) string { return m.scope }), column(all, func(m *message) string { return m.id }),
		same(n, "done"), column(all, func(m *message) []byte { return m.digest }),
		column(all, func(m *message) int64 { return m.status }), column(all, func(m *message) string { return m.key }),
		same(n, int64(0)), same(n, now))
	return err
}

func digest(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}
