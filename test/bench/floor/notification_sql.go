package main

var (
	lockLogs = rows("order_id text") + `
		SELECT l.order_id FROM mail_logs l JOIN rows ON rows.order_id = l.order_id ORDER BY l.order_id FOR UPDATE`
	selectLogs = rows("order_id text") + `
		SELECT l.order_id, l.total, l.currency, l.placed, l.address, l.domain, l.lines, l.confirmed, l.cancelled,
			l.reason, l.detail, l.refunded, l.next_call, l.version, l.updated_at, l.correlation_id, l.trace,
			l.version AS stored
		FROM mail_logs l JOIN rows ON rows.order_id = l.order_id`
	selectMails = rows("order_id text") + `
		SELECT m.order_id, m.kind, m.created_at, m.due_at, m.outcome, m.ended_at
		FROM mails m JOIN rows ON rows.order_id = m.order_id`

	logRows = rows("order_id text", "total bigint", "currency text", "placed boolean", "address text",
		"domain text", "lines text", "confirmed boolean", "cancelled boolean", "reason text", "detail text",
		"refunded bigint", "next_call text", "version bigint", "updated_at timestamptz", "correlation_id text",
		"trace text", "stored bigint")
	insertLogs = logRows + `
		INSERT INTO mail_logs (order_id, total, currency, placed, address, domain, lines, confirmed, cancelled,
			reason, detail, refunded, next_call, version, updated_at, correlation_id, trace)
		SELECT order_id, total, currency, placed, address, domain, lines, confirmed, cancelled, reason, detail,
			refunded, next_call, version, updated_at, correlation_id, trace
		FROM rows WHERE true ORDER BY order_id`
	updateLogs = logRows + `
		UPDATE mail_logs SET total = rows.total, currency = rows.currency, placed = rows.placed,
			address = rows.address, domain = rows.domain, lines = rows.lines, confirmed = rows.confirmed,
			cancelled = rows.cancelled, reason = rows.reason, detail = rows.detail, refunded = rows.refunded,
			next_call = rows.next_call, version = rows.version, updated_at = rows.updated_at,
			trace = CASE WHEN substr(rows.trace, 1, 36) = substr(mail_logs.trace, 1, 36)
				THEN rows.trace ELSE mail_logs.trace END
		FROM rows WHERE mail_logs.order_id = rows.order_id AND mail_logs.version = rows.stored`
	upsertMails = rows("order_id text", "kind text", "created_at timestamptz", "due_at timestamptz",
		"outcome text", "ended_at timestamptz") + `
		INSERT INTO mails (order_id, kind, created_at, due_at, outcome, ended_at)
		SELECT order_id, kind, created_at, due_at, outcome, ended_at FROM rows WHERE true ORDER BY order_id, kind
		ON CONFLICT (order_id, kind) DO UPDATE SET due_at = excluded.due_at, outcome = excluded.outcome,
			ended_at = excluded.ended_at`
)
