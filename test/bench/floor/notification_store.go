package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

func loadLogs(ctx context.Context, tx *pgx.Conn, ids []string) (map[string]*mailLog, error) {
	if _, err := tx.Exec(ctx, lockLogs, ids); err != nil {
		return nil, err
	}
	found, err := tx.Query(ctx, selectLogs, ids)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*mailLog, len(ids))
	var known []string
	var l mailLog
	_, err = pgx.ForEachRow(found, []any{
		&l.id, &l.total, &l.currency, &l.placed, &l.address, nil, &l.lines, &l.confirmed, nil, nil, nil, nil, &l.next,
		&l.version, &l.updated, &l.correlation, &l.trace, &l.stored,
	}, func() error {
		kept := l
		all[l.id], l.next = &kept, nil
		known = append(known, l.id)
		return nil
	})
	if err != nil || len(known) == 0 {
		return all, err
	}
	if found, err = tx.Query(ctx, selectMails, known); err != nil {
		return nil, err
	}
	var id string
	var m mailRow
	_, err = pgx.ForEachRow(found, []any{&id, nil, &m.created, &m.due, &m.outcome, &m.ended}, func() error {
		kept := m
		all[id].mail, m.due, m.ended = &kept, nil, nil
		return nil
	})
	return all, err
}

func saveLogs(ctx context.Context, tx *pgx.Conn, ids []string, logs map[string]*mailLog) error {
	var fresh, known, mailed []*mailLog
	for _, id := range ids {
		l := logs[id]
		if l.stored == 0 {
			fresh = append(fresh, l)
		} else {
			known = append(known, l)
		}
		if l.changed {
			mailed = append(mailed, l)
		}
	}
	for text, all := range map[string][]*mailLog{insertLogs: fresh, updateLogs: known} {
		if len(all) == 0 {
			continue
		}
		n := len(all)
		empty, no := same(n, ""), same(n, false)
		_, err := tx.Exec(ctx, text,
			column(all, func(l *mailLog) string { return l.id }),
			column(all, func(l *mailLog) int64 { return l.total }),
			column(all, func(l *mailLog) string { return l.currency }),
			column(all, func(l *mailLog) bool { return l.placed }),
			column(all, func(l *mailLog) string { return l.address }), same(n, mailDomain),
			column(all, func(l *mailLog) string { return l.lines }),
			column(all, func(l *mailLog) bool { return l.confirmed }), no, empty, empty, same(n, int64(0)),
			column(all, func(l *mailLog) *string { return l.next }),
			column(all, func(l *mailLog) int64 { return l.version }),
			column(all, func(l *mailLog) time.Time { return l.updated }),
			column(all, func(l *mailLog) string { return l.correlation }),
			column(all, func(l *mailLog) string { return l.trace }),
			column(all, func(l *mailLog) int64 { return l.stored }))
		if err != nil {
			return err
		}
	}
	if len(mailed) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, upsertMails, column(mailed, func(l *mailLog) string { return l.id }),
		same(len(mailed), confirmation), column(mailed, func(l *mailLog) time.Time { return l.mail.created }),
		column(mailed, func(l *mailLog) *time.Time { return l.mail.due }),
		column(mailed, func(l *mailLog) string { return l.mail.outcome }),
		column(mailed, func(l *mailLog) *time.Time { return l.mail.ended }))
	return err
}
