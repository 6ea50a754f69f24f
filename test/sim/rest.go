package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
)

// look is the time between two looks at whether everything is at rest.
const look = 200 * time.Millisecond

// busy counts, by service, what its database says it still has to do. The checker looks at what users see, which costs
// more: it is asked once this says nothing.
var busy = map[string]string{
	order.Name:        `SELECT count(*) AS n FROM orders WHERE status = 'pending'`,
	inventory.Name:    `SELECT count(*) AS n FROM products WHERE republish_at IS NOT NULL`,
	payment.Name:      `SELECT count(*) AS n FROM payments WHERE next_call IS NOT NULL` + notBehind,
	notification.Name: `SELECT count(*) AS n FROM mail_logs WHERE next_call IS NOT NULL` + notBehind,
}

// notBehind leaves out the orders about which a letter is open: what would end their calls may be behind it.
const notBehind = ` AND NOT EXISTS (
	SELECT 1 FROM inbox i WHERE i.resource = order_id AND i.state IN ('parked', 'dead'))`

// rest waits until two looks in a row see nothing that goes on. At the end of ctx the error says what still does.
func (w *World) rest(ctx context.Context, databases map[string]*sqldb.DB) (err error) {
	for calm := 0; calm < 2 && ctx.Err() == nil; time.Sleep(look) {
		if e := w.goesOn(w.ctx, databases); e != nil {
			calm, err = 0, e
			continue
		}
		if calm++; calm == 2 {
			return nil
		}
	}
	return err
}

// waiting counts the letters that will move: all, if an operator clears up, otherwise those that wait for no operator.
func (w *World) waiting() string {
	if w.plan.ClearUp {
		return `SELECT count(*) AS n FROM inbox WHERE state IN ('parked', 'dead')`
	}
	return `SELECT count(*) AS n FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id
		WHERE i.state = 'parked' AND NOT EXISTS (
			SELECT 1 FROM letters e JOIN inbox d ON d.scope = e.scope AND d.id = e.id
			WHERE e.scope = l.scope AND e.key = l.key AND e.seq < l.seq AND d.state = 'dead')`
}

func (w *World) goesOn(ctx context.Context, databases map[string]*sqldb.DB) error {
	cluster := w.parts.broker.Cluster()
	for _, topic := range schemas.Topics() {
		for _, service := range topic.Consumers {
			group := cluster.GroupInfo(service)
			for _, p := range cluster.PartitionInfos(topic.Name) {
				if group == nil || group.Commits[topic.Name][p.Partition].Offset < p.HighWatermark {
					return fmt.Errorf("%s has not read all of %s", service, topic.Name)
				}
			}
		}
	}
	var errs []error
	for service, db := range databases {
		errs = append(errs, db.Read(ctx, func(tx *sqldb.Tx) error {
			for _, query := range []string{`SELECT count(*) AS n FROM outbox`, w.waiting(), busy[service]} {
				n, err := sqldb.Get[int](ctx, tx, query)
				if err == nil && n > 0 {
					err = fmt.Errorf("in the database of %s: %d by %s", service, n, query)
				}
				if err != nil {
					return err
				}
			}
			return nil
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, service := range services {
		inc := w.anyOf(service)
		c := client.NewOver(w.operators, client.Addresses{Admin: map[string]string{service: inc.admin}})
		errs = append(errs, c.Ready(ctx, service))
	}
	return errors.Join(errs...)
}
