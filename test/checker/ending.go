package checker

import (
	"errors"
	"fmt"
	"strings"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// silent begins the addresses at which the mailbox never answers: such mails are tried for a day.
const silent = "silent@"

// ended checks G6: every saga has ended, but for those that are listed as stuck or held back by an open letter.
func (c *check) ended() {
	for _, o := range c.Orders {
		if err := c.unended(o); err != nil {
			c.violated("G6", o.ID, "%v", err)
		}
	}
	for _, n := range c.Notifications {
		if err := c.untold(n); err != nil {
			c.violated("G6", n.OrderID, "%v", err)
		}
	}
	c.settled()
	for _, o := range c.Orders {
		if o.Status == "confirmed" && (!c.told(events("inventory"), o.ID, "StockReserved") ||
			!c.told(events("payment"), o.ID, "PaymentAuthorized")) && len(c.Log) > 0 {
			c.violated("G6", o.ID, "the order is confirmed without its stock or its payment")
		}
	}
}

// settled checks that operators ended only what the gateway had refused to.
func (c *check) settled() {
	for key, facts := range c.facts {
		for _, r := range facts {
			operation := "refund"
			if r.kind() == "PaymentVoided" {
				operation = "cancel"
			}
			if byHand(r) && !c.refuses(key.key, operation) {
				c.violated("G6", key.key, "%s at %s was settled by hand, and the gateway has refused no %s", r.kind(),
					r.at(), operation)
			}
		}
	}
}

// refuses reports whether the gateway has refused an operation for good, or its record was not looked at.
func (i *index) refuses(orderID, operation string) bool {
	return i.Operations == nil || i.refused[gatewayCall{orderID, operation}]
}

func (i *index) unended(o client.Order) error {
	if o.Completed || i.open[o.ID] {
		return nil
	}
	if p := i.Payments[o.ID]; p.Stuck {
		operation := "refund"
		if p.Captured == 0 {
			operation = "cancel"
		}
		if i.refuses(o.ID, operation) {
			return nil
		}
		return fmt.Errorf("its payment is said to be stuck, and the gateway has refused no %s", operation)
	}
	return fmt.Errorf("the order is %s (%s) and has not ended: %v", o.Status, o.Reason, o.Steps)
}

func (i *index) untold(n client.Notification) error {
	if n.Status == "sent" || n.Status == "failed" || i.open[n.OrderID] {
		return nil
	}
	for _, r := range i.about(events("order"), n.OrderID, "OrderPlaced") {
		if placed, ok := r.Event.Data.(*schemas.OrderPlaced); ok && strings.HasPrefix(placed.Email, silent) {
			return nil
		}
	}
	return fmt.Errorf("its %s is %s", n.Kind, n.Status)
}

// Rest says what still goes on, nil if nothing does.
func Rest(s State) error {
	i := newIndex(s)
	var errs []error
	for _, o := range s.Orders {
		errs = append(errs, i.unended(o))
	}
	for _, n := range s.Notifications {
		errs = append(errs, i.untold(n))
	}
	for name, database := range s.Databases {
		if database.Outbox > 0 {
			errs = append(errs, fmt.Errorf("%d rows wait in the outbox of %s", database.Outbox, name))
		}
	}
	for _, p := range s.Partitions {
		for _, service := range i.consumers[p.Topic] {
			errs = append(errs, p.lag(service))
		}
	}
	return errors.Join(errs...)
}

// lag is an error if a service has not read all of a partition.
func (p Partition) lag(service string) error {
	offset, committed := p.Committed[service]
	switch {
	case !committed && p.End == p.Start:
		return nil
	case !committed:
		return fmt.Errorf("%s has read nothing of the %d records of partition %d of %s", service, p.End-p.Start, p.ID,
			p.Topic)
	case offset != p.End:
		return fmt.Errorf("%s has committed the offset %d of partition %d of %s, which ends at %d", service, offset,
			p.ID, p.Topic, p.End)
	}
	return nil
}
