package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	confirmation = "confirmation"
	mailCalls    = 16
	mailDomain   = "quadrille.example"
)

// mailLog is what the mail of a confirmed order needs.
type mailLog struct {
	id, currency, address, lines string
	total                        int64
	placed, confirmed            bool
	next                         *string
	version, stored              int64
	updated                      time.Time
	correlation, trace           string
	mail                         *mailRow
	changed                      bool // the mail
}

type mailRow struct {
	created time.Time
	due     *time.Time
	outcome string
	ended   *time.Time
}

// notifications is the notification service.
type notifications struct {
	service *service
	caller  *caller
}

func newNotifications(cfg config) *notifications {
	n := &notifications{}
	n.service = &service{
		name: "notification", topics: []string{"order.events", "payment.events"}, handle: n.handle,
		types: map[string]bool{"OrderPlaced": true, "OrderConfirmed": true},
	}
	n.caller = &caller{
		service: n.service, table: "mail_logs", limit: mailCalls, next: nextMails,
		perform: newPost(cfg.smtp).perform, woken: make(chan struct{}, 1),
	}
	n.service.committed = n.caller.wake
	return n
}

func (n *notifications) handle(ctx context.Context, tx *pgx.Conn, messages []*message, _ time.Time) ([]fact, error) {
	ids := keysOf(messages)
	all, err := loadLogs(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	var facts []fact
	for _, m := range messages {
		l := all[m.key]
		if l == nil {
			l = &mailLog{id: m.key, correlation: m.correlation, lines: "[]"}
			all[m.key] = l
		}
		l.version, l.updated, l.trace = l.version+1, m.at, m.trace
		switch m.kind {
		case "OrderPlaced":
			p := m.placed()
			text, err := json.Marshal(p.lines)
			if err != nil {
				return nil, err
			}
			l.placed, l.total, l.currency, l.address, l.lines = true, p.total, p.currency, p.email, string(text)
		case "OrderConfirmed":
			due := m.at
			kind := confirmation
			l.confirmed, l.next, l.mail, l.changed = true, &kind, &mailRow{created: m.at, due: &due}, true
		case confirmation:
			at := m.at
			l.next, l.mail.outcome, l.mail.ended, l.changed = nil, "sent", &at, true
			facts = append(facts, fact{
				kind: "NotificationSent", key: m.key, id: newID(), version: l.version, because: m,
				value: notificationSent(m.key, m.at),
			})
		}
	}
	return facts, saveLogs(ctx, tx, ids, all)
}

func nextMails(ctx context.Context, tx *pgx.Conn, keys []string) (map[string]call, error) {
	all, err := loadLogs(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	next := make(map[string]call, len(all))
	for key, l := range all {
		if l.next != nil {
			next[key] = call{key: key, operation: *l.next, log: *l, correlation: l.correlation, trace: l.trace}
		}
	}
	return next, nil
}

func messageID(order string) string { return order + "." + confirmation + "@" + mailDomain }
