// Package store keeps payments, the leases of their calls to the gateway, and the ledger in the service's database.
package store

import (
	"embed"
	"io/fs"
	"time"

	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
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

type paymentRow struct {
	OrderID        string                 `db:"order_id"`
	Amount         int64                  `db:"amount"`
	Currency       string                 `db:"currency"`
	Method         string                 `db:"method"`
	Placed         bool                   `db:"placed"`
	Reserved       bool                   `db:"reserved"`
	Confirmed      bool                   `db:"confirmed"`
	Cancelled      bool                   `db:"cancelled"`
	Intent         string                 `db:"intent"`
	Authorized     int64                  `db:"authorized"`
	Captured       int64                  `db:"captured"`
	Refunded       int64                  `db:"refunded"`
	Decline        payment.DeclineReason  `db:"decline"`
	CaptureFailure payment.CaptureFailure `db:"capture_failure"`
	Fenced         bool                   `db:"fenced"`
	Expired        bool                   `db:"expired"`
	CancelRefused  payment.Refusal        `db:"cancel_refused"`
	RefundRefused  payment.Refusal        `db:"refund_refused"`
	Ended          payment.Ending         `db:"ended"`
	ByHand         bool                   `db:"settled_by_hand"`
	NextCall       *payment.Operation     `db:"next_call"`
	Version        int64                  `db:"version"`
	UpdatedAt      time.Time              `db:"updated_at"`
	CorrelationID  string                 `db:"correlation_id"`
	Trace          string                 `db:"trace"`
	// Stored is the version loaded, and Claims comes from the table of calls: both are read only.
	Stored int64 `db:"stored"`
	Claims int64 `db:"claims"`
}

// paymentColumns are of payments p LEFT JOIN calls c.
const paymentColumns = `p.order_id, p.amount, p.currency, p.method, p.placed, p.reserved, p.confirmed, p.cancelled,
	p.intent, p.authorized, p.captured, p.refunded, p.decline, p.capture_failure, p.fenced, p.expired,
	p.cancel_refused, p.refund_refused, p.ended, p.settled_by_hand, p.next_call, p.version, p.updated_at,
	p.correlation_id, p.trace,
	p.version AS stored, COALESCE(c.claims, 0) AS claims`

func (r paymentRow) payment() *payment.Payment {
	return &payment.Payment{
		OrderID: r.OrderID, Version: r.Version, Stored: r.Stored, UpdatedAt: r.UpdatedAt, Claims: r.Claims,
		Amount: r.Amount, Currency: r.Currency, Method: r.Method,
		Placed: r.Placed, Reserved: r.Reserved, Confirmed: r.Confirmed, Cancelled: r.Cancelled,
		Intent: r.Intent, Authorized: r.Authorized, Captured: r.Captured, Refunded: r.Refunded,
		Decline: r.Decline, CaptureFailure: r.CaptureFailure, Fenced: r.Fenced, Expired: r.Expired,
		CancelRefused: r.CancelRefused, RefundRefused: r.RefundRefused, Ended: r.Ended, SettledByHand: r.ByHand,
	}
}

func rowOf(p *payment.Payment, origin Origin) paymentRow {
	row := paymentRow{
		OrderID: p.OrderID, Version: p.Version, Stored: p.Stored, UpdatedAt: p.UpdatedAt,
		Amount: p.Amount, Currency: p.Currency, Method: p.Method,
		Placed: p.Placed, Reserved: p.Reserved, Confirmed: p.Confirmed, Cancelled: p.Cancelled,
		Intent: p.Intent, Authorized: p.Authorized, Captured: p.Captured, Refunded: p.Refunded,
		Decline: p.Decline, CaptureFailure: p.CaptureFailure, Fenced: p.Fenced, Expired: p.Expired,
		CancelRefused: p.CancelRefused, RefundRefused: p.RefundRefused, Ended: p.Ended, ByHand: p.SettledByHand,
		CorrelationID: origin.Correlation, Trace: origin.Trace,
	}
	if call, due := p.Next(); due {
		row.NextCall = &call.Operation
	}
	return row
}
