package demo

import (
	"fmt"
	"slices"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// ending is how the saga of an order ends, as everybody sees it who had a part in it.
type ending struct {
	status, reason string // the order's
	stock, payment string // the order's steps
	// events on Kafka, each once; ? marks those that an overtaking may spare.
	events []string
	// gateway is what it was finally asked, and refused.
	gateway []string
	// paid says whether the money stays with the shop.
	paid bool
	// mails are the kinds that the customer got, in order.
	mails []string
}

// The endings of sagas.
var (
	confirmed = ending{
		status: "confirmed", stock: "committed", payment: "captured",
		events: []string{
			"OrderPlaced", "StockReserved", "PaymentAuthorized", "OrderConfirmed", "StockCommitted", "PaymentCaptured",
		},
		gateway: []string{"open", "authorize", "capture"}, paid: true,
		mails: []string{"confirmation"},
	}
	soldOut = ending{
		status: "cancelled", reason: "out_of_stock", stock: "released", payment: "voided",
		events: []string{
			"OrderPlaced", "StockReservationFailed", "OrderCancelled", "StockReleased", "PaymentVoided",
		},
		mails: []string{"cancellation"},
	}
	refused = ending{
		status: "cancelled", reason: "payment_declined", stock: "released", payment: "voided",
		events: []string{
			"OrderPlaced", "StockReserved", "PaymentDeclined", "OrderCancelled", "StockReleased", "PaymentVoided",
		},
		gateway: []string{"open", "authorize: card_declined", "cancel"},
		mails:   []string{"cancellation"},
	}
	uncaptured = ending{
		status: "cancelled", reason: "payment_failed", stock: "released", payment: "voided",
		events: []string{
			"OrderPlaced", "StockReserved", "PaymentAuthorized", "OrderConfirmed", "?StockCommitted",
			"PaymentCaptureFailed", "OrderCancelled", "StockReleased", "PaymentVoided",
		},
		gateway: []string{"open", "authorize", "capture: capture_declined", "cancel"},
		mails:   []string{"confirmation", "cancellation"},
	}
	cancelledBefore = ending{
		status: "cancelled", reason: "customer_request", stock: "released", payment: "voided",
		events: []string{
			"OrderPlaced", "StockReserved", "?PaymentAuthorized", "OrderCancelled", "StockReleased", "PaymentVoided",
		},
		gateway: []string{"open", "authorize", "cancel"},
		mails:   []string{"cancellation"},
	}
	cancelledAfter = ending{
		status: "cancelled", reason: "customer_request", stock: "released", payment: "refunded",
		events:  append(slices.Clone(confirmed.events), "OrderCancelled", "StockReleased", "PaymentRefunded"),
		gateway: []string{"open", "authorize", "capture", "refund"},
		mails:   []string{"confirmation", "cancellation", "refund"},
	}
	timedOut = ending{
		status: "cancelled", reason: "timed_out", stock: "released", payment: "voided",
		events:  []string{"OrderPlaced", "StockReserved", "OrderCancelled", "StockReleased", "PaymentVoided"},
		gateway: []string{"open", "cancel"},
		mails:   []string{"cancellation"},
	}
)

// ends waits until the saga of an order has ended and checks that it did so as it should: the order, its events on
// Kafka and their trace, the gateway's own record, the ledger, the mails. It returns the order.
func (s *scene) ends(orderID string, want ending) client.Order {
	o, err := s.Completed(s.ctx, orderID)
	s.check(err)
	s.check(want.of(o))
	// The last events are on their way to Kafka, the mails to the customer.
	s.until("all of an order's events", func() error { return exactly(s.spoken(orderID), want.events) })
	s.until("the customer's mails", func() error { return want.told(s, orderID) })
	s.check(traced(s.tape.about(orderID), s.trace))
	s.check(want.settled(s, o))
	s.again = append(s.again, func() error {
		return firstOf(exactly(s.spoken(orderID), want.events), want.told(s, orderID), want.settled(s, o))
	})
	return o
}

// of checks how an order stands.
func (e ending) of(o client.Order) error {
	steps := make(map[string]string)
	for _, step := range o.Steps {
		steps[step.Name] = step.Status
	}
	if o.Status != e.status || o.Reason != e.reason || steps["stock"] != e.stock || steps["payment"] != e.payment {
		return fmt.Errorf("order %s is %s %s, its stock %s, its payment %s; not %s %s, %s, %s", o.ID,
			o.Status, o.Reason, steps["stock"], steps["payment"], e.status, e.reason, e.stock, e.payment)
	}
	return nil
}

// settled checks that gateway and ledger agree on what became of the money of an order.
func (e ending) settled(s *scene, o client.Order) error {
	operations, err1 := s.Operations(s.ctx)
	lines, err2 := s.Ledger(s.ctx, o.ID)
	if err := firstOf(err1, err2); err != nil {
		return err
	}
	if got := asked(operations, o.ID); !slices.Equal(got, e.gateway) {
		return fmt.Errorf("the gateway was asked %q, not %q", got, e.gateway)
	}
	net := int64(0)
	if e.paid {
		net = o.Total.Amount
	}
	if err := booked(lines, net); err != nil || len(e.gateway) == 0 {
		return err
	}
	intent, err := s.Intent(s.ctx, o.ID)
	if err == nil && intent.Captured-intent.Refunded != net {
		err = fmt.Errorf("the gateway has taken %d and given back %d, not %d", intent.Captured, intent.Refunded, net)
	}
	return err
}

// saga has the topics on which an order's saga is danced. Who only listens, as notification does and services that are
// added may, says what it says after the end of the saga, or beside it.
var saga = []string{"order.events", "inventory.events", "payment.events"}

// spoken are the events of an order's saga.
func (s *scene) spoken(orderID string) []record {
	return slices.DeleteFunc(s.tape.about(orderID), func(r record) bool { return !slices.Contains(saga, r.Topic) })
}
