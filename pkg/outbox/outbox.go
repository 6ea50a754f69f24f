// Package outbox carries what has happened from a service's database to Kafka: rows inserted in the transaction of the
// change itself, and a relay that publishes them in order and deletes what the broker has acknowledged.
//
// Why it loses nothing and keeps the order per key: rows of one key are inserted by transactions that exclude each
// other (the aggregate's version), so their seq order is their commit order. Every relay starts from the oldest row
// that is not deleted, hands rows over in seq order, and deletes a row only after its acknowledgement and never past a
// failure. So however many relays run, the first appearance of each event in the log is in order; later copies are
// the inbox's business. A cursor would lose rows that commit late under an earlier seq, SKIP LOCKED would let a second
// relay overtake the first, and a mark would cost an update a row.
package outbox

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations creates the outbox table, under the name "outbox".
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// Record is an encoded event that waits for the relay.
type Record struct {
	// Topic and Key say where it goes. Value is nil for a tombstone.
	Topic, Key string
	Headers    []event.Header
	Value      []byte
}

type row struct {
	Ord     int64     `db:"ord"`
	Seq     int64     `db:"seq"`
	Topic   string    `db:"topic"`
	Key     string    `db:"key"`
	Headers string    `db:"headers"`
	Value   []byte    `db:"value"`
	Written time.Time `db:"written_at"`
}

// Insert writes records in their order, in the transaction of the change that they tell of. The Unit of work calls it;
// a service never does.
func Insert(ctx context.Context, tx *sqldb.Tx, records []Record, now time.Time) error {
	rows := make([]row, len(records))
	for i, r := range records {
		headers, err := marshalHeaders(r.Headers)
		if err != nil {
			return fmt.Errorf("outbox headers of %s: %w", r.Topic, err)
		}
		rows[i] = row{Ord: int64(i), Topic: r.Topic, Key: r.Key, Headers: headers, Value: r.Value, Written: now}
	}
	_, err := tx.With(rows).Exec(ctx, `
		INSERT INTO outbox (topic, key, headers, value, written_at)
		SELECT topic, key, headers, value, written_at FROM rows WHERE true ORDER BY ord`)
	if err != nil {
		return fmt.Errorf("insert %d rows into the outbox: %w", len(rows), err)
	}
	return nil
}

// Headers are kept as JSON so that an operator can read the table; all of ours are text.
func marshalHeaders(headers []event.Header) (string, error) {
	pairs := make([][2]string, len(headers))
	for i, h := range headers {
		pairs[i] = [2]string{h.Key, string(h.Value)}
	}
	text, err := json.Marshal(pairs)
	return string(text), err
}

func unmarshalHeaders(text string) ([]event.Header, error) {
	var pairs [][2]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("outbox headers: %w", err)
	}
	headers := make([]event.Header, len(pairs))
	for i, p := range pairs {
		headers[i] = event.Header{Key: p[0], Value: []byte(p[1])}
	}
	return headers, nil
}
