package store

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// Load reads the logs that messages need. The rows are locked in the order of their keys, and read by later statements:
// one that locks and reads at once can see a row as it was before the lock.
func Load(ctx context.Context, tx *sqldb.Tx, messages []Message) (*State, error) {
	s := &State{
		Room:    &mail.Room{Logs: make(map[string]*mail.Log)},
		origins: make(map[string]Origin),
		stored:  make(map[string][mail.Kinds]mail.Mail),
	}
	var orders []string
	for _, m := range messages {
		for _, id := range m.Needs().Logs {
			orders = append(orders, id)
			s.follow(id, m.Origin)
		}
	}
	found, err := lockLogs(ctx, tx, sqldb.Keys(orders, orderKeyOf))
	if err != nil {
		return nil, fmt.Errorf("load mails: %w", err)
	}
	for _, f := range found {
		s.Room.Logs[f.log.OrderID] = f.log
		s.stored[f.log.OrderID] = f.log.Mails
	}
	return s, nil
}

// foundLog is a log and the request that it goes back to.
type foundLog struct {
	log    *mail.Log
	origin Origin
}

// lockLogs locks the logs' rows and returns them, with their mails, as they are under the lock.
func lockLogs(ctx context.Context, tx *sqldb.Tx, keys []orderKey) ([]foundLog, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := tx.With(keys).Lock(ctx, `
		SELECT l.order_id FROM mail_logs l JOIN rows ON rows.order_id = l.order_id ORDER BY l.order_id`); err != nil {
		return nil, err
	}
	logs, err := sqldb.Select[logRow](ctx, tx.With(keys), `
		SELECT `+logColumns+` FROM mail_logs l JOIN rows ON rows.order_id = l.order_id`)
	if err != nil || len(logs) == 0 {
		return nil, err
	}
	mails, err := sqldb.Select[mailRow](ctx, tx.With(keys), `
		SELECT `+mailColumns+` FROM mails m JOIN rows ON rows.order_id = m.order_id`)
	if err != nil {
		return nil, err
	}
	byOrder := make(map[string]*mail.Log, len(logs))
	found := make([]foundLog, len(logs))
	for i, row := range logs {
		l, err := row.log()
		if err != nil {
			return nil, err
		}
		byOrder[l.OrderID] = l
		found[i] = foundLog{l, Origin{row.CorrelationID, row.Trace}}
	}
	for _, row := range mails {
		i := row.Kind.Index()
		if i < 0 || byOrder[row.OrderID] == nil {
			return nil, fmt.Errorf("order %s has a %q", row.OrderID, row.Kind)
		}
		byOrder[row.OrderID].Mails[i] = row.mail()
	}
	return found, nil
}
