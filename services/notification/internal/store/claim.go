package store

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
)

// maxPause is how long a mail waits at most before it is tried again. A mail server that is away is away for minutes.
const maxPause = 30 * time.Second

// Call is a claimed mail.
type Call struct {
	mail.Call
	// Claim numbers the attempts at an order's mails from 1, whatever their kinds and outcomes.
	Claim  int64
	Origin Origin
}

// Lease implements work.Leased.
func (c Call) Lease() (key string, claim int64) { return c.OrderID, c.Claim }

// Leases claims mails to be sent, each for the given length.
func Leases(length time.Duration) work.Leases[Call] {
	return work.Leases[Call]{
		Aggregates: "mail_logs", Key: "order_id", Length: length, MaxPause: maxPause, Next: nextCalls,
	}
}

func nextCalls(ctx context.Context, tx *sqldb.Tx, orderIDs []string) ([]work.NextCall[Call], error) {
	found, err := lockLogs(ctx, tx, sqldb.Keys(orderIDs, orderKeyOf))
	if err != nil {
		return nil, err
	}
	var next []work.NextCall[Call]
	for _, f := range found {
		if call, due := f.log.Next(); due {
			next = append(next, work.NextCall[Call]{
				Key: call.OrderID, Operation: string(call.Kind),
				Call: func(claim int64) Call { return Call{Call: call, Claim: claim, Origin: f.origin} },
			})
		}
	}
	return next, nil
}
