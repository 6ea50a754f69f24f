package sim

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// kind of a fault.
type kind struct {
	name string
	// often is how many of the seeds have it, most how many of it a seed has at most.
	often float64
	most  int
	// longest is the most time that one lasts.
	longest time.Duration
	// least and hardest bound By.
	least, hardest time.Duration
	rated          bool
	ofService      bool
	// strike makes it happen and returns when it is over.
	strike func(w *World, f Fault)
}

const second = time.Second

// kinds of faults. The names are stable: each must have struck in a run of many seeds, see sometimes.go.
func kinds() []kind {
	return []kind{
		// Processes.
		{name: "crash", often: 0.5, most: 5, longest: 2 * second, ofService: true, strike: crash},
		{name: "crash in a transaction", often: 0.5, most: 4, longest: 2 * second, ofService: true,
			strike: crashInside},
		{name: "crash after a request", often: 0.3, most: 3, longest: 2 * second, ofService: true,
			strike: crashOutside},
		{name: "restart", often: 0.3, most: 2, longest: second, ofService: true, strike: restart},
		{name: "join", often: 0.3, most: 2, longest: 4 * second, ofService: true, strike: join},
		{name: "zombie", often: 0.3, most: 2, longest: 5 * second, ofService: true, strike: zombie},
		{name: "pause", often: 0.3, most: 2, longest: 4 * second, ofService: true, strike: freeze},
		{name: "clock step", often: 0.3, most: 3, longest: 5 * second, least: -5 * second, hardest: 5 * second,
			ofService: true, strike: stepClock},

		// Connections.
		{name: "cut wires", often: 0.3, most: 3, longest: 3 * second, rated: true, ofService: true, strike: cutWires},
		{name: "slow wires", often: 0.3, most: 2, longest: 3 * second, hardest: second / 4, ofService: true,
			strike: slowWires},
		{name: "cut clients", often: 0.3, most: 3, longest: 3 * second, rated: true, strike: cutClients},

		// The broker.
		{name: "broker restart", often: 0.15, most: 1, longest: 3 * second, strike: restartBroker},
		{name: "broker stall", often: 0.2, most: 2, longest: 3 * second, strike: stallBroker},
		{name: "broker errors", often: 0.3, most: 3, longest: 3 * second, rated: true, strike: brokerErrors},
		{name: "session lost", often: 0.3, most: 3, longest: second, ofService: true, strike: loseSession},
		{name: "redelivery", often: 0.4, most: 8, longest: second, strike: redeliver},
		{name: "poison", often: 0.3, most: 4, longest: second, strike: poison},
		{name: "operator", often: 0.4, most: 2, longest: 4 * second, rated: true, strike: operate},
		{name: "rewind", often: 0.15, most: 1, longest: second, ofService: true, strike: rewind},
		{name: "refusal", often: 0.3, most: 1, longest: second, rated: true, ofService: true, strike: refuseEvents},

		// The edges.
		{name: "gateway fails", often: 0.25, most: 2, longest: 4 * second, rated: true, strike: onGateway(failing)},
		{name: "gateway hangs", often: 0.25, most: 2, longest: 4 * second, rated: true, strike: onGateway(hanging)},
		{name: "gateway request lost", often: 0.25, most: 2, longest: 4 * second, rated: true,
			strike: onGateway(losing)},
		{name: "gateway answer lost", often: 0.25, most: 2, longest: 4 * second, rated: true,
			strike: onGateway(silencing)},
		{name: "gateway request twice", often: 0.25, most: 2, longest: 4 * second, rated: true,
			strike: onGateway(doubling)},
		{name: "gateway request late", often: 0.25, most: 2, longest: 4 * second, rated: true, hardest: second,
			strike: onGateway(delaying)},
		{name: "registry fails", often: 0.2, most: 2, longest: 4 * second, rated: true, strike: onRegistry(failing)},
		{name: "registry hangs", often: 0.15, most: 2, longest: 2 * second, rated: true, strike: onRegistry(hanging)},
		{name: "mail server cut", often: 0.3, most: 3, longest: 3 * second, rated: true, strike: cutMail},
		{name: "mail server hangs", often: 0.2, most: 2, longest: 3 * second, strike: hangMail},

		// Databases.
		{name: "database away", often: 0.25, most: 2, longest: 3 * second, ofService: true,
			strike: strikeDatabase(1, nil)},
		{name: "database fails", often: 0.3, most: 3, longest: 3 * second, rated: true, ofService: true,
			strike: strikeDatabase(0, nil)},
		{name: "commit lost", often: 0.3, most: 3, longest: 3 * second, rated: true, ofService: true,
			strike: strikeDatabase(0, []sqldb.Step{sqldb.StepCommit})},
		{name: "commit's answer lost", often: 0.3, most: 3, longest: 3 * second, rated: true, ofService: true,
			strike: strikeDatabase(0, []sqldb.Step{sqldb.StepCommitted})},
		{name: "database slow", often: 0.3, most: 2, longest: 3 * second, rated: true, hardest: 50 * time.Millisecond,
			ofService: true, strike: slowDatabase},
		{name: "save refused", often: 0.5, most: 5, longest: 3 * second, ofService: true, strike: refuseSaves},
	}
}
