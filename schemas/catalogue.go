// Package schemas holds the contracts: an Avro schema for each event, the Go types generated from them, and the
// catalogue of topics. It is all that services share about each other.
//
// A published schema never changes. A new version is a new file's content that stays compatible with every version
// before it, in both directions.
package schemas

import (
	"embed"
	"time"
)

//go:generate go run ./internal/generate -out events_gen.go

//go:embed avro
var files embed.FS

// Record is the contract of one event.
type Record struct {
	// Name is the full name of the Avro record, Topic where it is published, Schema its text.
	Name, Topic, Schema string
	// New returns a pointer to an empty value of its Go type.
	New func() any
}

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
	// Owner is the one service that publishes here, Consumers are those that read.
	Owner     string
	Consumers []string
	// Description says what the topic is for.
	Description string
}

const week = 7 * 24 * time.Hour

// Topics returns the catalogue.
func Topics() []Topic {
	return []Topic{
		{
			Name: "order.events", Key: "order id", Partitions: 6, Retention: week,
			Owner: "order", Consumers: []string{"inventory", "payment", "notification"},
			Description: "What becomes of orders: placed, confirmed, cancelled.",
		},
		{
			Name: "inventory.events", Key: "order id", Partitions: 6, Retention: week,
			Owner: "inventory", Consumers: []string{"order", "payment"},
			Description: "What inventory did for an order: stock reserved, committed, released, or none to reserve.",
		},
		{
			Name: "payment.events", Key: "order id", Partitions: 6, Retention: week,
			Owner: "payment", Consumers: []string{"order", "notification"},
			Description: "What payment did for an order: authorized, captured, voided, refunded, or refused.",
		},
		{
			Name: "notification.events", Key: "order id", Partitions: 6, Retention: week,
			Owner:       "notification",
			Description: "What the customer was told about an order, and what they could not be told.",
		},
		{
			Name: "product.events", Key: "sku", Partitions: 6, Compacted: true,
			Owner: "inventory", Consumers: []string{"order"},
			Description: "The products as they are now, for whoever keeps a copy: event-carried state transfer.",
		},
	}
}

func text(path string) string {
	data, err := files.ReadFile(path)
	if err != nil {
		panic(err) // the generator wrote the path, and the file is embedded
	}
	return string(data)
}
