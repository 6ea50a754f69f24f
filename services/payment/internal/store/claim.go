package store

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Call is a claimed call to the gateway.
type Call struct {
	payment.Call
	// Claim numbers the calls of a payment from 1, whatever their operations and outcomes.
	Claim int64
	// Intent is the gateway's id of the payment intent, empty as long as no answer has told it.
	Intent string
	Origin Origin
}

// Lease implements work.Leased.
func (c Call) Lease() (key string, claim int64) { return c.OrderID, c.Claim }

// Leases claims calls to the gateway, each for the given length. A claim takes the locks of the payments, as Load does
// before a cancellation is decided: one of the two sees what the other did.
func Leases(length time.Duration) work.Leases[Call] {
	return work.Leases[Call]{Aggregates: "payments", Key: "order_id", Length: length, Next: nextCalls}
}

func nextCalls(ctx context.Context, tx *sqldb.Tx, orderIDs []string) ([]work.NextCall[Call], error) {
	found, err := lockPayments(ctx, tx, sqldb.Keys(orderIDs, orderKeyOf))
	if err != nil {
		return nil, err
	}
	var next []work.NextCall[Call]
	for _, row := range found {
		origin := Origin{row.CorrelationID, row.Trace}
		if call, due := row.payment().Next(); due {
			next = append(next, work.NextCall[Call]{
				Key: row.OrderID, Operation: string(call.Operation),
				Call: func(claim int64) Call {
					return Call{Call: call, Claim: claim, Intent: row.Intent, Origin: origin}
				},
			})
		}
	}
	return next, nil
}
