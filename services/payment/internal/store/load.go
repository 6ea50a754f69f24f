package store

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
)

// Load reads the payments that messages need, and how many calls were ever claimed for each. The rows are locked in the
// order of their keys, and read by a later statement: one that locks and reads at once can see a row as it was before
// the lock. Calls are claimed under the same lock, so that a payment decided to be void without a call is never
// claimed.
func Load(ctx context.Context, tx *sqldb.Tx, messages []Message) (*State, error) {
	s := &State{
		Till:    &payment.Till{Payments: make(map[string]*payment.Payment)},
		origins: make(map[string]Origin),
	}
	var orders []string
	for _, m := range messages {
		for _, id := range m.Needs().Payments {
			orders = append(orders, id)
			s.follow(id, m.Origin)
		}
	}
	rows, err := lockPayments(ctx, tx, sqldb.Keys(orders, orderKeyOf))
	if err != nil {
		return nil, fmt.Errorf("load payments: %w", err)
	}
	for _, row := range rows {
		s.Till.Payments[row.OrderID] = row.payment()
	}
	return s, nil
}

// lockPayments locks the payments' rows and returns them as they are under the lock.
func lockPayments(ctx context.Context, tx *sqldb.Tx, keys []orderKey) ([]paymentRow, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := tx.With(keys).Lock(ctx, `
		SELECT p.order_id FROM payments p JOIN rows ON rows.order_id = p.order_id ORDER BY p.order_id`); err != nil {
		return nil, err
	}
	return sqldb.Select[paymentRow](ctx, tx.With(keys), `
		SELECT `+paymentColumns+` FROM payments p JOIN rows ON rows.order_id = p.order_id
		LEFT JOIN calls c ON c.order_id = p.order_id`)
}

func orderKeyOf(id string) orderKey { return orderKey{id} }
