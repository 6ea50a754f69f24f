package main

const selectDue = `WITH rows AS (SELECT * FROM unnest($3::text[], $4::bigint[]) AS r("key", "claims"))
	SELECT a.order_id FROM {table} a
	LEFT JOIN calls c ON c.order_id = a.order_id
	WHERE a.next_call IS NOT NULL AND (c.order_id IS NULL
		OR CASE WHEN (c.order_id, c.claims) IN (SELECT key, claims FROM rows) THEN c.operation <> a.next_call
			ELSE c.leased_until <= $1 AND (c.operation <> a.next_call OR c.retry_at <= $1) END)
		AND NOT EXISTS (
			SELECT 1 FROM inbox i JOIN letters t ON t.scope = i.scope AND t.id = i.id
			WHERE i.scope = 'call' AND i.resource = a.order_id AND i.state IN ('parked', 'dead')
				AND i.id = 'call/' || a.order_id || '/' || a.next_call AND (i.state = 'dead' OR t.retry_at > $1))
	ORDER BY CASE WHEN c.operation = a.next_call THEN c.retry_at ELSE a.updated_at END, a.order_id
	LIMIT (SELECT CAST($2 AS BIGINT))`

var (
	selectLeases = rows("key text") + `
		SELECT c.order_id AS key, c.operation, c.claims, c.attempts, c.leased_until, c.retry_at
		FROM calls c JOIN rows ON rows.key = c.order_id`
	upsertLeases = rows("key text", "operation text", "claims bigint", "attempts bigint",
		"leased_until timestamptz", "retry_at timestamptz") + `
		INSERT INTO calls (order_id, operation, claims, attempts, leased_until, retry_at)
		SELECT key, operation, claims, attempts, leased_until, retry_at FROM rows WHERE true ORDER BY key
		ON CONFLICT (order_id) DO UPDATE SET operation = excluded.operation, claims = excluded.claims,
			attempts = excluded.attempts, leased_until = excluded.leased_until, retry_at = excluded.retry_at
		WHERE calls.claims <= excluded.claims`
)
