// Package store keeps the mails of orders, what they have to say, and their leases, in the service's database.
package store

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations creates the tables of the service.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

type orderKey struct {
	OrderID string `db:"order_id"`
}

func orderKeyOf(id string) orderKey { return orderKey{id} }

type logRow struct {
	OrderID       string      `db:"order_id"`
	Total         int64       `db:"total"`
	Currency      string      `db:"currency"`
	Placed        bool        `db:"placed"`
	Address       string      `db:"address"`
	Domain        string      `db:"domain"`
	Lines         string      `db:"lines"`
	Confirmed     bool        `db:"confirmed"`
	Cancelled     bool        `db:"cancelled"`
	Reason        mail.Reason `db:"reason"`
	Detail        string      `db:"detail"`
	Refunded      int64       `db:"refunded"`
	NextCall      *mail.Kind  `db:"next_call"`
	Version       int64       `db:"version"`
	UpdatedAt     time.Time   `db:"updated_at"`
	CorrelationID string      `db:"correlation_id"`
	Trace         string      `db:"trace"`
	// Stored is the version loaded: read only.
	Stored int64 `db:"stored"`
}

const logColumns = `l.order_id, l.total, l.currency, l.placed, l.address, l.domain, l.lines, l.confirmed, l.cancelled,
	l.reason, l.detail, l.refunded, l.next_call, l.version, l.updated_at, l.correlation_id, l.trace,
	l.version AS stored`

type mailRow struct {
	OrderID   string       `db:"order_id"`
	Kind      mail.Kind    `db:"kind"`
	CreatedAt time.Time    `db:"created_at"`
	DueAt     *time.Time   `db:"due_at"`
	Outcome   mail.Outcome `db:"outcome"`
	EndedAt   *time.Time   `db:"ended_at"`
}

const mailColumns = `m.order_id, m.kind, m.created_at, m.due_at, m.outcome, m.ended_at`

func (r logRow) log() (*mail.Log, error) {
	l := &mail.Log{
		OrderID: r.OrderID, Version: r.Version, Stored: r.Stored, UpdatedAt: r.UpdatedAt, Total: r.Total,
		Currency: r.Currency, Confirmed: r.Confirmed, Cancelled: r.Cancelled, Reason: r.Reason, Detail: r.Detail,
		Refunded: r.Refunded,
	}
	if !r.Placed {
		return l, nil
	}
	l.Order = &mail.Order{Address: r.Address, Domain: r.Domain}
	if err := json.Unmarshal([]byte(r.Lines), &l.Order.Lines); err != nil {
		return nil, fmt.Errorf("lines of order %s: %w", r.OrderID, err)
	}
	return l, nil
}

func rowOf(l *mail.Log, origin Origin) (logRow, error) {
	row := logRow{
		OrderID: l.OrderID, Total: l.Total, Currency: l.Currency, Lines: "[]", Confirmed: l.Confirmed,
		Cancelled: l.Cancelled, Reason: l.Reason, Detail: l.Detail, Refunded: l.Refunded, Version: l.Version,
		UpdatedAt: l.UpdatedAt, CorrelationID: origin.Correlation, Trace: origin.Trace, Stored: l.Stored,
	}
	if call, due := l.Next(); due {
		row.NextCall = &call.Kind
	}
	if l.Order == nil {
		return row, nil
	}
	lines, err := json.Marshal(l.Order.Lines)
	if err != nil {
		return logRow{}, fmt.Errorf("lines of order %s: %w", l.OrderID, err)
	}
	row.Placed, row.Address, row.Domain, row.Lines = true, l.Order.Address, l.Order.Domain, string(lines)
	return row, nil
}

func (r mailRow) mail() mail.Mail {
	m := mail.Mail{CreatedAt: r.CreatedAt, Outcome: r.Outcome}
	if r.DueAt != nil {
		m.DueAt = *r.DueAt
	}
	if r.EndedAt != nil {
		m.EndedAt = *r.EndedAt
	}
	return m
}

func mailRowOf(orderID string, kind mail.Kind, m mail.Mail) mailRow {
	row := mailRow{OrderID: orderID, Kind: kind, CreatedAt: m.CreatedAt, Outcome: m.Outcome}
	if !m.DueAt.IsZero() {
		row.DueAt = &m.DueAt
	}
	if !m.EndedAt.IsZero() {
		row.EndedAt = &m.EndedAt
	}
	return row
}
