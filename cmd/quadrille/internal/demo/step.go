package demo

import (
	"fmt"
	"slices"
	"strings"
)

// step shows one capability: it makes something happen, sees that it really happened, then that it did no harm.
type step struct {
	name  string
	about string
	on    *ground
	run   func(*scene)
}

// steps in the order in which they are shown. Those of one ground run one after the other.
func steps() []step {
	return []step{
		{"happy-path", "an order is confirmed, its stock sold, its money taken", calm, happyPath},
		{"out-of-stock", "an order for more than there is costs nobody anything", calm, outOfStock},
		{"declined", "a declined card gives the stock back", calm, declined},
		{"insufficient-funds", "so does a card without money", calm, insufficientFunds},
		{"capture-refused", "money held but not to be had undoes a confirmed order", calm, captureRefused},
		{"flaky-gateway", "a gateway that fails twice is asked a third time", calm, flakyGateway},
		{"cancel-before", "a cancellation before confirmation lets go of the held money", calm, cancelBefore},
		{"cancel-after", "a cancellation after confirmation gives stock and money back", calm, cancelAfter},
		{"last-unit", "one unit, fifty buyers, one sale", calm, lastUnit},
		{"duplicate-post", "one Idempotency-Key makes one order", calm, duplicatePost},
		{"duplicate-event", "an event that is delivered twice counts once", calm, duplicateEvent},
		{"time-travel", "an order as it was after each of its events", calm, timeTravel},
		{"sales-channel", "version 2 of OrderPlaced carries an optional field", calm, salesChannel},
		{"mail-received", "the customer is told, in order, what became of the order", calm, mailReceived},
		{"poison", "what nobody can read stops nobody, and its key goes on when it is discarded", calm, poison},
		{"rebuild", "read models are made anew while orders come, and nobody hears of it", calm, rebuild},
		{"timeout", "an order whose payment is never answered is cancelled by the clock", hasty, timeout},
		{"silent-gateway", "once a payment is cancelled, no late authorization succeeds", hasty, silentGateway},
		{"schema-versions", "a publisher of version 1 beside one of version 2", oldRelease, schemaVersions},
		{"parked-key", "what cannot be handled yet holds back its own key only", exposed, parkedKey},
		{"redrive", "what cannot be handled waits for an operator, and goes on where it stopped", exposed, redriven},
		{"gateway-away", "no gateway: orders are accepted, wait, and go on when it is back", exposed, gatewayAway},
		{"broker-away", "no broker: orders are accepted, and published in order when it is back", exposed, brokerAway},
		{"kill-order", "kill -9 of order in the middle of sagas", deadly, killOrder},
		{"kill-inventory", "kill -9 of inventory in the middle of sagas", deadly, killInventory},
		{"kill-payment", "kill -9 of payment in the middle of sagas", deadly, killPayment},
		{"kill-notification", "kill -9 of notification in the middle of sagas", deadly, killNotification},
		{"restart", "kill -9 of the whole platform, and a start on the same data", lasting, restart},
		{"two-replicas", "two processes of inventory share the work", replicated, twoReplicas},
	}
}

// Steps are the names of all steps, in the order in which they are shown.
func Steps() []string {
	all := steps()
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.name
	}
	return names
}

// chosen returns the steps of these names, in the order in which they are shown; all of them if there is no name.
func chosen(names []string) ([]step, error) {
	all, known := steps(), Steps()
	if len(names) == 0 {
		return all, nil
	}
	var unknown []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("no step is called %s; there are %s", strings.Join(unknown, " or "),
			strings.Join(known, ", "))
	}
	return slices.DeleteFunc(all, func(s step) bool { return !slices.Contains(names, s.name) }), nil
}
