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
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
	"unicode/utf8"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
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
	failpoint.Hit(failpoint.OutboxInserted)
	return nil
}

// Headers are kept as JSON so that an operator can read the table. Ours are text; a header that is not, such as one of
// a dead letter's copy, has both its parts in base64 and says so.
func marshalHeaders(headers []event.Header) (string, error) {
	pairs := make([][]string, len(headers))
	for i, h := range headers {
		if utf8.ValidString(h.Key) && utf8.Valid(h.Value) {
			pairs[i] = []string{h.Key, string(h.Value)}
		} else {
			pairs[i] = []string{
				base64.StdEncoding.EncodeToString([]byte(h.Key)), base64.StdEncoding.EncodeToString(h.Value), inBase64,
			}
		}
	}
	text, err := json.Marshal(pairs)
	return string(text), err
}

const inBase64 = "base64"

func unmarshalHeaders(text string) ([]event.Header, error) {
	var pairs [][]string
	if err := json.Unmarshal([]byte(text), &pairs); err != nil {
		return nil, fmt.Errorf("outbox headers: %w", err)
	}
	headers := make([]event.Header, len(pairs))
	for i, p := range pairs {
		if len(p) < 2 {
			return nil, fmt.Errorf("outbox headers: %d is no pair", i)
		}
		headers[i] = event.Header{Key: p[0], Value: []byte(p[1])}
		if len(p) == 3 && p[2] == inBase64 {
			key, err1 := base64.StdEncoding.DecodeString(p[0])
			value, err2 := base64.StdEncoding.DecodeString(p[1])
			if err := errors.Join(err1, err2); err != nil {
				return nil, fmt.Errorf("outbox headers: %w", err)
			}
			headers[i] = event.Header{Key: string(key), Value: value}
		}
	}
	return headers, nil
}
