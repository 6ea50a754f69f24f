package store

import (
	"context"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// Notification is a mail as it is listed.
type Notification struct {
	Position
	mail.Mail
	// MessageID is empty until it is known that the order was placed.
	MessageID string
}

// Position of a mail among all, which are listed as the reasons for them were learnt.
type Position struct {
	CreatedAt time.Time `json:"created_at"`
	OrderID   string    `json:"order_id"`
	Kind      mail.Kind `json:"kind"`
}

type listedRow struct {
	mailRow
	Placed bool   `db:"placed"`
	Domain string `db:"domain"`
}

// Notifications lists up to limit mails that come after a position, zero for the first page. An empty order id stands
// for all orders.
func Notifications(ctx context.Context, db *sqldb.DB, orderID string, after Position, limit int) (
	list []Notification, err error) {
	// Two texts, because SQLite finds no index for a condition that is sometimes void.
	of, args := "", []any{after.CreatedAt, after.OrderID, after.Kind, limit}
	if orderID != "" {
		of, args = "AND m.order_id = $5", append(args, orderID)
	}
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err := sqldb.Select[listedRow](ctx, tx, `
			SELECT `+mailColumns+`, l.placed, l.domain FROM mails m JOIN mail_logs l ON l.order_id = m.order_id
			WHERE (m.created_at, m.order_id, m.kind) > ($1, $2, $3) `+of+`
			ORDER BY m.created_at, m.order_id, m.kind LIMIT $4`, args...)
		for _, row := range rows {
			n := Notification{Position: Position{row.CreatedAt, row.OrderID, row.Kind}, Mail: row.mail()}
			if row.Placed {
				l := mail.Log{OrderID: row.OrderID, Order: &mail.Order{Domain: row.Domain}}
				n.MessageID = l.MessageID(row.Kind)
			}
			list = append(list, n)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list notifications: %w", err)
	}
	return list, nil
}
