package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"
)

var insertOutbox = rows("ord bigint", "seq bigint", "topic text", "key text", "headers text", "value bytea",
	"written_at timestamptz") + `
	INSERT INTO outbox (topic, key, headers, value, written_at)
	SELECT topic, key, headers, value, written_at FROM rows WHERE true ORDER BY ord`

const selectOldest = `
	SELECT 0 AS ord, seq, topic, key, headers, value, written_at FROM (
		SELECT seq, topic, key, headers, value, written_at,
			sum(length(headers) + coalesce(length(value), 0)) OVER (ORDER BY seq)
				- length(headers) - coalesce(length(value), 0) AS before
		FROM outbox WHERE topic = (SELECT $1) ORDER BY seq LIMIT 1000) AS oldest
	WHERE before < $2 ORDER BY seq`

var deleteOutbox = rows("seq bigint") + `DELETE FROM outbox WHERE seq IN (SELECT seq FROM rows)`

const relayBytes = 8 << 20

// publish inserts facts into the outbox, in the transaction of what they tell of.
func publish(ctx context.Context, tx *pgx.Conn, service string, facts []fact, now time.Time) error {
	if len(facts) == 0 {
		return nil
	}
	n := len(facts)
	order, texts := make([]int64, n), make([]string, n)
	var err error
	for i, f := range facts {
		order[i] = int64(i)
		if texts[i], err = headers(service, f); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, insertOutbox, order, same(n, int64(0)), same(n, service+".events"),
		column(facts, func(f fact) string { return f.key }), texts,
		column(facts, func(f fact) []byte { return f.value }), same(n, now))
	return err
}

// relay carries rows of the outbox to their topic.
type relay struct {
	topic    string
	db       *pgx.Conn
	producer *kgo.Client
	woken    chan struct{}
}

func newRelay(ctx context.Context, url, topic string, brokers []string) (r *relay, err error) {
	r = &relay{topic: topic, woken: make(chan struct{}, 1)}
	if r.db, err = pgx.Connect(ctx, url); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	r.producer, err = kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DisableClientMetrics(),
		kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0)) // idempotent and acknowledged by all by default
	if err != nil {
		return nil, fmt.Errorf("producer: %w", err)
	}
	return r, nil
}

func (r *relay) close(ctx context.Context) {
	r.producer.Close()
	_ = r.db.Close(ctx)
}

func (r *relay) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

func (r *relay) run(ctx context.Context) error {
	for {
		n, err := r.round(ctx)
		if err != nil {
			return fmt.Errorf("relay of %s: %w", r.topic, err)
		}
		if n > 0 {
			continue
		}
		select {
		case <-r.woken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// round produces the oldest rows, and deletes them once they are acknowledged.
func (r *relay) round(ctx context.Context) (int, error) {
	seqs, records, err := r.oldest(ctx)
	if err != nil || len(seqs) == 0 {
		return 0, err
	}
	if err := r.producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return 0, err
	}
	if _, err := r.db.Exec(ctx, begin); err != nil {
		return 0, err
	}
	if _, err := r.db.Exec(ctx, deleteOutbox, seqs); err != nil {
		return 0, err
	}
	_, err = r.db.Exec(ctx, "COMMIT")
	return len(seqs), err
}

func (r *relay) oldest(ctx context.Context) (seqs []int64, records []*kgo.Record, err error) {
	if _, err := r.db.Exec(ctx, beginOne); err != nil {
		return nil, nil, err
	}
	found, err := r.db.Query(ctx, selectOldest, r.topic, relayBytes)
	if err != nil {
		return nil, nil, err
	}
	var seq int64
	var key, text string
	var value []byte
	_, err = pgx.ForEachRow(found, []any{nil, &seq, nil, &key, &text, &value, nil}, func() error {
		var pairs [][2]string
		if err := json.Unmarshal([]byte(text), &pairs); err != nil {
			return err
		}
		record := &kgo.Record{Topic: r.topic, Key: []byte(key), Value: value}
		for _, p := range pairs {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: p[0], Value: []byte(p[1])})
		}
		seqs, records, value = append(seqs, seq), append(records, record), nil
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	_, err = r.db.Exec(ctx, "COMMIT")
	return seqs, records, err
}
