package eventstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

const benchStreams = 100

// purchase is about as large as an order: a snapshot of it is some 700 bytes of JSON, each of its events some 150.
type purchase struct {
	Customer, Email, Method string
	Lines                   []purchased
	Steps                   [8]time.Time
	Total                   int64
}

type purchased struct {
	SKU             string
	Quantity, Price int64
}

type step struct {
	Order    string    `json:"order_id"`
	Version  int64     `json:"version"`
	At       time.Time `json:"at"`
	Amount   int64     `json:"amount"`
	Currency string    `json:"currency"`
}

func purchases(fold int64) *eventstore.Store[*purchase] {
	return eventstore.New(eventstore.Config[*purchase]{
		Events: "account_events", Snapshots: "account_snapshots", Key: "account",
		Fold: eventstore.Fold[*purchase]{
			Number: fold,
			Apply: func(p *purchase, e eventstore.Event) (*purchase, error) {
				var s step
				if err := json.Unmarshal([]byte(e.Data), &s); err != nil {
					return nil, err
				}
				if p == nil {
					p = &purchase{
						Customer: "customer-7", Email: "ada@example.com", Method: "tok_visa",
						Lines: []purchased{{"tea-001", 2, 899}, {"cup-001", 1, 1250}, {"pot-001", 1, 3400}},
					}
				}
				p.Steps[s.Version%int64(len(p.Steps))] = s.At
				p.Total += s.Amount
				return p, nil
			},
			Encode: func(p *purchase) ([]byte, error) { return json.Marshal(p) },
			Decode: func(text []byte) (p *purchase, err error) { return p, json.Unmarshal(text, &p) },
		},
	})
}

var errRollBack = errors.New("roll back")

// BenchmarkSnapshots measures, a stream, what it takes to load streams of some length from their start, to load them
// from a snapshot, and to write that snapshot in a transaction that is there anyway. Where the first is more than the
// other two together, one later load has paid for the snapshot.
func BenchmarkSnapshots(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		url := sqltest.SQLiteURL
		if database == "postgres" {
			url = sqltest.DurablePostgresURL
		}
		db := sqltest.Open(b, url(b))
		if err := sqldb.Migrate(b.Context(), db, tables, "accounts"); err != nil {
			b.Fatal(err)
		}
		for _, length := range []int{5, 10, 20, 50, 100, 200, 500, 1000, 5000} {
			streams := fill(b, db, length)
			for _, batch := range []int{1, 100} {
				ids := make([]string, batch)
				for i := range ids {
					ids[i] = streams[i].ID
				}
				load := func(fold int64) func(context.Context, *sqldb.Tx) error {
					store := purchases(fold)
					return func(ctx context.Context, tx *sqldb.Tx) error {
						found, err := store.Load(ctx, tx, ids)
						if err == nil && (len(found) != batch || found[0].Version != int64(length)) {
							err = fmt.Errorf("loaded %d streams", len(found))
						}
						return err
					}
				}
				name := fmt.Sprintf("%s/length=%d/batch=%d/", database, length, batch)
				measure(b, name+"start", db, batch, load(2)) // the snapshots are of fold 1
				measure(b, name+"snapshot", db, batch, load(1))
				measure(b, name+"write", db, batch, func(ctx context.Context, tx *sqldb.Tx) error {
					return purchases(1).Snapshot(ctx, tx, streams[:batch], 1)
				})
			}
		}
	}
}

// fill stores streams with a snapshot at their end and returns them.
func fill(b *testing.B, db *sqldb.DB, length int) []eventstore.Stream[*purchase] {
	b.Helper()
	store := purchases(1)
	for i := range benchStreams {
		records := make([]eventstore.Record, length)
		for n := range records {
			s := step{fmt.Sprintf("length-%04d-stream-%03d-of-a-benchmark", length, i), int64(n + 1), noon, 1798, "EUR"}
			data, err := json.Marshal(s)
			if err != nil {
				b.Fatal(err)
			}
			records[n] = eventstore.Record{
				Event: eventstore.Event{Stream: s.Order, Version: s.Version, Type: "PaymentCaptured", Data: string(data), At: noon},
				ID:    fmt.Sprintf("0190b1c2-0000-7000-8000-%012d", n), CausationID: "0190b1c2-0000-7000-8000-000000000000",
				CorrelationID: "0190b1c2-0000-7000-8000-000000000001",
			}
		}
		transact(b.Context(), b, db, func(tx *sqldb.Tx) error { return store.Append(b.Context(), tx, records) })
	}
	ids := make([]string, benchStreams)
	for i := range ids {
		ids[i] = fmt.Sprintf("length-%04d-stream-%03d-of-a-benchmark", length, i)
	}
	var streams []eventstore.Stream[*purchase]
	transact(b.Context(), b, db, func(tx *sqldb.Tx) (err error) {
		if streams, err = store.Load(b.Context(), tx, ids); err != nil {
			return err
		}
		return store.Snapshot(b.Context(), tx, streams, 1)
	})
	if db.Dialect() == sqldb.Postgres {
		transact(b.Context(), b, db, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(b.Context(), `ANALYZE account_events, account_snapshots`)
			return err
		})
	}
	return streams
}

// measure reports the time of do alone, in a transaction that is rolled back.
func measure(b *testing.B, name string, db *sqldb.DB, batch int, do func(context.Context, *sqldb.Tx) error) {
	b.Run(name, func(b *testing.B) {
		var elapsed time.Duration
		for b.Loop() {
			err := db.Tx(b.Context(), func(tx *sqldb.Tx) error {
				began := time.Now()
				err := do(b.Context(), tx)
				if elapsed += time.Since(began); err != nil {
					return err
				}
				return errRollBack
			})
			if !errors.Is(err, errRollBack) {
				b.Fatal(err)
			}
		}
		b.ReportMetric(0, "ns/op") // which has the transaction's begin and end in it
		b.ReportMetric(float64(elapsed.Microseconds())/float64(b.N*batch), "µs/stream")
	})
}
