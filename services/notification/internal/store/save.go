package store

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// Save writes what changed, each log from the version that was loaded to the final one. A log that another transaction
// changed first is a conflict. The table of calls belongs to the leases.
func Save(ctx context.Context, tx *sqldb.Tx, s *State, _ []work.Fact[mail.Event]) error {
	if err := saveLogs(ctx, tx, s); err != nil {
		return fmt.Errorf("save mail logs: %w", err)
	}
	if err := saveMails(ctx, tx, s); err != nil {
		return fmt.Errorf("save mails: %w", err)
	}
	return nil
}

func saveLogs(ctx context.Context, tx *sqldb.Tx, s *State) error {
	var created, changed []logRow
	for _, l := range s.Room.Logs {
		if l.Version == l.Stored {
			continue
		}
		row, err := rowOf(l, s.origins[l.OrderID])
		if err != nil {
			return err
		}
		if l.Stored == 0 {
			created = append(created, row)
		} else {
			changed = append(changed, row)
		}
	}
	err := work.Write(ctx, tx, created, `
		INSERT INTO mail_logs (order_id, total, currency, placed, address, domain, lines, confirmed, cancelled, reason,
			detail, refunded, next_call, version, updated_at, correlation_id, trace)
		SELECT order_id, total, currency, placed, address, domain, lines, confirmed, cancelled, reason,
			detail, refunded, next_call, version, updated_at, correlation_id, trace
		FROM rows WHERE true ORDER BY order_id`)
	if err != nil {
		return err
	}
	return work.Write(ctx, tx, changed, `
		UPDATE mail_logs SET total = rows.total, currency = rows.currency, placed = rows.placed,
			address = rows.address, domain = rows.domain, lines = rows.lines, confirmed = rows.confirmed,
			cancelled = rows.cancelled, reason = rows.reason, detail = rows.detail, refunded = rows.refunded,
			next_call = rows.next_call, version = rows.version, updated_at = rows.updated_at,
			trace = `+lastSpan+`
		FROM rows WHERE mail_logs.order_id = rows.order_id AND mail_logs.version = rows.stored`)
}

// lastSpan is, in SQL, the last span of the trace that a log belongs to: a message of another trace leaves it as it
// was. The first 36 letters of a traceparent are those of its trace.
const lastSpan = `CASE WHEN substr(rows.trace, 1, 36) = substr(mail_logs.trace, 1, 36)
	THEN rows.trace ELSE mail_logs.trace END`

func saveMails(ctx context.Context, tx *sqldb.Tx, s *State) error {
	var rows []mailRow
	for id, l := range s.Room.Logs {
		for i, kind := range mail.InOrder() {
			if l.Mails[i] != s.stored[id][i] {
				rows = append(rows, mailRowOf(id, kind, l.Mails[i]))
			}
		}
	}
	return work.Write(ctx, tx, rows, `
		INSERT INTO mails (order_id, kind, created_at, due_at, outcome, ended_at)
		SELECT order_id, kind, created_at, due_at, outcome, ended_at FROM rows WHERE true ORDER BY order_id, kind
		ON CONFLICT (order_id, kind) DO UPDATE SET due_at = excluded.due_at, outcome = excluded.outcome,
			ended_at = excluded.ended_at`)
}
