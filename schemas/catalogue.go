// Package schemas holds the contracts: an Avro schema for each event, the Go types generated from them, and the
// catalogue of topics. It is all that services share about each other.
//
// A published schema never changes. A new version is a new file's content that stays compatible with every version
// before it, in both directions.
package schemas

import (
	"embed"
	"slices"
	"time"
)

//go:generate go run ./internal/generate -out events_gen.go

//go:embed avro
var files embed.FS

// Topic is an entry of the catalogue.
type Topic struct {
	Name string
	// Key says what a record's key is; all events of one key are handled in order.
	Key string
	// Partitions never change: keys would move.
	Partitions int
	// Retention is how long records stay. It does not apply if Compacted.
	Retention time.Duration
	// Compacted topics keep the last record of each key for ever.
	Compacted bool
	// MaxBytes is the largest record that it takes, 0 for the broker's own limit.
	MaxBytes int
	// DeadLetters says that it holds copies of what its owner could not handle. They are of any type, or of none, and
	// nobody consumes them: the owner's own database decides what becomes of them.
	DeadLetters bool
	// Owner is the one service that publishes here, Consumers are those that read any of its events.
	Owner     string
	Consumers []string
	// Description says what the topic is for.
	Description string

	// events says which services may read each event, by its simple name.
	events map[string][]string
}

const week = 7 * 24 * time.Hour

// maxRecord is the largest record that Kafka takes unless told otherwise, in round numbers.
const maxRecord = 1 << 20

// DeadLetterTopic is where a service publishes copies of what it could not handle. Services wait for it at start.
func DeadLetterTopic(service string) string { return service + ".deadletter" }

// Topics returns the catalogue: the topics of events, then those of dead letters.
func Topics() []Topic {
	topics := catalogue()
	for i, t := range topics {
		for _, consumers := range t.events {
			topics[i].Consumers = append(topics[i].Consumers, consumers...)
		}
		slices.Sort(topics[i].Consumers)
		topics[i].Consumers = slices.Compact(topics[i].Consumers)
	}
	return append(topics, deadLetters(topics)...)
}

// deadLetters returns a topic for each service that topics know. What it holds is as large as what was consumed, and
// some headers.
func deadLetters(topics []Topic) []Topic {
	var services []string
	for _, t := range topics {
		services = append(append(services, t.Owner), t.Consumers...)
	}
	slices.Sort(services)
	var dead []Topic
	for _, service := range slices.Compact(services) {
		dead = append(dead, Topic{
			Name: DeadLetterTopic(service), Key: "that of the record", Partitions: 6, Retention: 4 * week,
			MaxBytes: 2 * maxRecord, DeadLetters: true, Owner: service,
			Description: "Copies of what " + service +
				" could not handle, with origin, error and attempts in their headers.",
		})
	}
	return dead
}

// catalogue is all there is to be published and read. A service that oversteps it does not start.
func catalogue() []Topic {
	return []Topic{
		{
			Name: "order.events", Key: "order id", Partitions: 6, Retention: week, Owner: "order",
			Description: "What becomes of orders: placed, confirmed, cancelled.",
			events: map[string][]string{
				"OrderPlaced":    {"inventory", "payment", "notification"},
				"OrderConfirmed": {"inventory", "payment", "notification"},
				"OrderCancelled": {"inventory", "payment", "notification"},
			},
		},
		{
			Name: "inventory.events", Key: "order id", Partitions: 6, Retention: week, Owner: "inventory",
			Description: "What inventory did for an order: stock reserved, committed, released, or none to reserve.",
			events: map[string][]string{
				"StockReserved":          {"order", "payment"},
				"StockReservationFailed": {"order"},
				"StockCommitted":         {"order"},
				"StockReleased":          {"order"},
			},
		},
		{
			Name: "payment.events", Key: "order id", Partitions: 6, Retention: week, Owner: "payment",
			Description: "What payment did for an order: authorized, captured, voided, refunded, or refused.",
			events: map[string][]string{
				"PaymentAuthorized":    {"order"},
				"PaymentDeclined":      {"order"},
				"PaymentCaptured":      {"order"},
				"PaymentCaptureFailed": {"order"},
				"PaymentVoided":        {"order"},
				"PaymentRefunded":      {"order", "notification"},
			},
		},
		{
			Name: "notification.events", Key: "order id", Partitions: 6, Retention: week, Owner: "notification",
			Description: "What the customer was told about an order, and what they could not be told.",
			events: map[string][]string{
				"NotificationSent":   nil,
				"NotificationFailed": nil,
			},
		},
		{
			Name: "product.events", Key: "sku", Partitions: 6, Compacted: true, Owner: "inventory",
			Description: "The products as they are now, for whoever keeps a copy: event-carried state transfer.",
			events: map[string][]string{
				"ProductUpdated": {"order"},
			},
		},
	}
}
