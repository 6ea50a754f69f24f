package main

var (
	lockPayments = rows("order_id text") + `
		SELECT p.order_id FROM payments p JOIN rows ON rows.order_id = p.order_id ORDER BY p.order_id FOR UPDATE`
	selectPayments = rows("order_id text") + `
		SELECT p.order_id, p.amount, p.currency, p.method, p.placed, p.reserved, p.confirmed, p.cancelled, p.intent,
			p.authorized, p.captured, p.refunded, p.decline, p.capture_failure, p.fenced, p.expired, p.cancel_refused,
			p.refund_refused, p.ended, p.settled_by_hand, p.next_call, p.version, p.updated_at, p.correlation_id,
			p.trace, p.version AS stored, COALESCE(c.claims, 0) AS claims
		FROM payments p JOIN rows ON rows.order_id = p.order_id
		LEFT JOIN calls c ON c.order_id = p.order_id`

	paymentRows = rows("order_id text", "amount bigint", "currency text", "method text", "placed boolean",
		"reserved boolean", "confirmed boolean", "cancelled boolean", "intent text", "authorized bigint",
		"captured bigint", "refunded bigint", "decline text", "capture_failure text", "fenced boolean",
		"expired boolean", "cancel_refused text", "refund_refused text", "ended text", "settled_by_hand boolean",
		"next_call text", "version bigint", "updated_at timestamptz", "correlation_id text", "trace text",
		"stored bigint", "claims bigint")
	insertPayments = paymentRows + `
		INSERT INTO payments (order_id, amount, currency, method, placed, reserved, confirmed, cancelled, intent,
			authorized, captured, refunded, decline, capture_failure, fenced, expired, cancel_refused, refund_refused,
			ended, settled_by_hand, next_call, version, updated_at, correlation_id, trace)
		SELECT order_id, amount, currency, method, placed, reserved, confirmed, cancelled, intent, authorized,
			captured, refunded, decline, capture_failure, fenced, expired, cancel_refused, refund_refused, ended,
			settled_by_hand, next_call, version, updated_at, correlation_id, trace
		FROM rows WHERE true ORDER BY order_id`
	updatePayments = paymentRows + `
		UPDATE payments SET amount = rows.amount, currency = rows.currency, method = rows.method,
			placed = rows.placed, reserved = rows.reserved, confirmed = rows.confirmed, cancelled = rows.cancelled,
			intent = rows.intent, authorized = rows.authorized, captured = rows.captured, refunded = rows.refunded,
			decline = rows.decline, capture_failure = rows.capture_failure, fenced = rows.fenced,
			expired = rows.expired, cancel_refused = rows.cancel_refused, refund_refused = rows.refund_refused,
			ended = rows.ended, settled_by_hand = rows.settled_by_hand, next_call = rows.next_call,
			version = rows.version, updated_at = rows.updated_at,
			trace = CASE WHEN substr(rows.trace, 1, 36) = substr(payments.trace, 1, 36)
				THEN rows.trace ELSE payments.trace END
		FROM rows WHERE payments.order_id = rows.order_id AND payments.version = rows.stored`
	insertEntries = rows("order_id text", "version bigint", "line bigint", "account text", "debit bigint",
		"credit bigint", "currency text", "event_id text", "booked_at timestamptz", "operator text", "reason text") + `
		INSERT INTO ledger_entries (order_id, version, line, account, debit, credit, currency, event_id, booked_at,
			operator, reason)
		SELECT order_id, version, line, account, debit, credit, currency, event_id, booked_at, operator, reason
		FROM rows WHERE true`
)
