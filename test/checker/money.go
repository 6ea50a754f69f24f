package checker

import (
	"github.com/quadrille-platform/quadrille/platform/client"
)

// money checks G5: per currency, what the gateway took and did not give back is the total of the confirmed orders and
// of what is stuck; payment's record, its ledger and the gateway's own say the same.
func (c *check) money() {
	if c.Operations == nil {
		return
	}
	kept, owed := make(map[string]int64), make(map[string]int64)
	known := make(map[string]bool)
	for _, o := range c.Orders {
		known[o.ID] = true
		intent, payment := c.paid[o.ID], c.Payments[o.ID]
		c.intent(o, intent)
		c.books(o.ID, intent, payment)
		if c.open[o.ID] || !o.Completed && !payment.Stuck {
			continue // G6 asks for their end
		}
		want := c.owed(o, payment)
		if got := intent.Captured - intent.Refunded; got != want {
			c.violated("G5", o.ID, "the order is %s, its total %d, and the gateway keeps %d, not %d", o.Status,
				o.Total.Amount, got, want)
		}
		kept[o.Total.Currency] += intent.Captured - intent.Refunded
		owed[o.Total.Currency] += want
	}
	for currency := range kept {
		if kept[currency] != owed[currency] {
			c.violated("G5", "", "the gateway keeps %d %s, and %d are those of confirmed orders and stuck sagas",
				kept[currency], currency, owed[currency])
		}
	}
	for reference, intent := range c.paid {
		if !known[reference] && c.Orders != nil && intent.Captured > intent.Refunded {
			c.violated("G5", reference, "the gateway keeps %d %s of no order", intent.Captured-intent.Refunded,
				intent.Currency)
		}
	}
	c.balanced()
}

// owed is what the gateway should keep of an order.
func (c *check) owed(o client.Order, p client.Payment) int64 {
	switch {
	case o.Status == "confirmed":
		return o.Total.Amount
	case p.Stuck:
		return p.Captured - p.Refunded
	default:
		return c.settledByHand(o.ID)
	}
}

// settledByHand is what the gateway refused to give back, and an operator did.
func (c *check) settledByHand(orderID string) (amount int64) {
	for _, r := range c.about(events("payment"), orderID, "PaymentRefunded") {
		if byHand(r) {
			amount += moneyOf(r)
		}
	}
	return amount
}

// intent checks that the gateway was asked for what was ordered, no more, and took nothing from a card in vain.
func (c *check) intent(o client.Order, i client.Intent) {
	if i.ID == "" {
		return
	}
	if i.Amount != o.Total.Amount || i.Currency != o.Total.Currency {
		c.violated("G5", o.ID, "the total is %d %s, and the gateway was asked for %d %s", o.Total.Amount,
			o.Total.Currency, i.Amount, i.Currency)
	}
	if i.Captured > i.Amount || i.Refunded > i.Captured {
		c.violated("G5", o.ID, "of %d the gateway took %d and gave %d back", i.Amount, i.Captured, i.Refunded)
	}
	if i.Captured > 0 && !c.told(events("order"), o.ID, "OrderConfirmed") {
		c.violated("G5", o.ID, "%d were taken for an order that was never confirmed", i.Captured)
	}
}

// books holds payment's record and its ledger against the gateway's.
func (c *check) books(orderID string, i client.Intent, p client.Payment) {
	if c.Payments == nil || c.open[orderID] {
		return
	}
	hand := c.settledByHand(orderID)
	if p.Captured != i.Captured || p.Refunded != i.Refunded+hand {
		c.violated("G5", orderID, "payment has %d captured and %d refunded, the gateway %d and %d, by hand %d",
			p.Captured, p.Refunded, i.Captured, i.Refunded, hand)
	}
	var clearing int64
	for _, l := range c.Ledger {
		if l.OrderID == orderID && l.Account == "gateway_clearing" {
			clearing += l.Debit - l.Credit
		}
	}
	if clearing != i.Captured-i.Refunded {
		c.violated("G5", orderID, "the ledger has %d on gateway_clearing, and the gateway keeps %d", clearing,
			i.Captured-i.Refunded)
	}
	status := map[string]string{
		"PaymentAuthorized": "authorized", "PaymentDeclined": "declined", "PaymentCaptured": "captured",
		"PaymentCaptureFailed": "capture_failed", "PaymentVoided": "voided", "PaymentRefunded": "refunded",
	}[c.last(events("payment"), orderID)]
	if status != "" && p.Status != status {
		c.violated("G5", orderID, "its payment is %s, and the last that was published is %s", p.Status,
			c.last(events("payment"), orderID))
	}
}

// balanced checks each entry of the ledger.
func (c *check) balanced() {
	type entry struct {
		orderID  string
		version  int64
		currency string
	}
	sums := make(map[entry]int64)
	for _, l := range c.Ledger {
		sums[entry{l.OrderID, l.Version, l.Currency}] += l.Debit - l.Credit
	}
	for e, sum := range sums {
		if sum != 0 {
			c.violated("G5", e.orderID, "the entry of version %d does not balance: %d %s too much is debited",
				e.version, sum, e.currency)
		}
	}
}
