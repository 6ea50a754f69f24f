package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

const (
	// retriesAtATime bounds the due queues of one look and the messages of one transaction.
	retriesAtATime = 100
	// retryBytes bounds the values of one transaction, unless one alone is larger.
	retryBytes = 8 << 20
	// decodeWithin bounds what one look waits for schemas: a registry that hangs keeps the events whose schema is known
	// from being tried for so long, and no longer.
	decodeWithin = 5 * time.Second
)

// ParkingConfig says how parked events come back.
type ParkingConfig[I any] struct {
	// DB is where they are.
	DB *sqldb.DB
	// Owned returns the partitions that this process consumes, by topic: it alone tries their events again.
	Owned func() map[string][]int32
	// Decode turns a record into a message, as it did when it came. False: it is of no interest any more. An error says
	// that it cannot tell, because the registry is away.
	Decode func(ctx context.Context, r *Record) (m Message[I], wanted bool, err error)
	// Retry is the Unit's.
	Retry func(ctx context.Context, retries []Retry[I]) error
	// Every is the time between looks. Defaults to 200 ms.
	Every time.Duration
	// Clock defaults to time.Now, Logger to slog.Default().
	Clock  func() time.Time
	Logger *slog.Logger
}

// ParkingLot tries parked events again when they are due, each queue from its head, in order.
type ParkingLot[I any] struct{ cfg ParkingConfig[I] }

// NewParkingLot returns a ParkingLot that does nothing until Run.
func NewParkingLot[I any](cfg ParkingConfig[I]) *ParkingLot[I] {
	if cfg.Every == 0 {
		cfg.Every = 200 * time.Millisecond
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &ParkingLot[I]{cfg}
}

// Run tries what is due until ctx ends.
func (p *ParkingLot[I]) Run(ctx context.Context) error {
	ticker := time.NewTicker(p.cfg.Every)
	defer ticker.Stop()
	var repeats telemetry.Repeats
	for {
		more, err := p.look(ctx)
		if err != nil && ctx.Err() == nil && repeats.Due(err.Error()) {
			p.cfg.Logger.Warn("parked events wait", "error", err)
		}
		if more && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look retries the queues that are due, and reports whether it came to retry anything. A queue whose head cannot be
// decoded yet keeps no other from being tried.
func (p *ParkingLot[I]) look(ctx context.Context) (retried bool, err error) {
	due, err := p.due(ctx)
	if err != nil || len(due) == 0 {
		return false, err
	}
	decoding, done := context.WithTimeout(ctx, decodeWithin)
	defer done()
	var retries []Retry[I]
	var undecoded error
	bytes := 0
	seen := make(map[stream]bool)
	for _, d := range due {
		if len(retries) == retriesAtATime || bytes >= retryBytes {
			break // the rest stays due
		}
		if d.Key != nil {
			if seen[stream{d.Scope, *d.Key}] {
				continue
			}
			seen[stream{d.Scope, *d.Key}] = true
		}
		queue, err := p.queue(ctx, d, retriesAtATime-len(retries), retryBytes-bytes)
		if err != nil {
			return false, err
		}
		for _, row := range queue {
			retry, err := p.decode(decoding, row)
			if err != nil {
				undecoded = err
				break
			}
			bytes += len(row.RecordValue)
			retries = append(retries, retry)
		}
	}
	if len(retries) == 0 {
		return false, undecoded
	}
	return true, errors.Join(p.cfg.Retry(ctx, retries), undecoded)
}

// Retry is an event out of its queue.
type Retry[I any] struct {
	Message[I]
	// Tried is how often it was tried, Failed when it failed first; zero if it only waited.
	Tried  int64
	Failed time.Time
	// Unwanted says that it is of no interest any more: it is done without a decision.
	Unwanted bool
}

// Retry hands in events out of their queues. Those of one queue must be in its order, from its head. It returns once
// each is done or has failed again; an error says that it stopped.
func (u *Unit[I, S, E]) Retry(ctx context.Context, retries []Retry[I]) error {
	messages := make([]Message[I], len(retries))
	for i, r := range retries {
		messages[i] = r.Message
	}
	e := newEntry(ctx, messages...)
	for i, r := range retries {
		it := e.items[i]
		it.retry, it.tried, it.failed, it.unwanted = true, r.Tried, r.Failed, r.Unwanted
	}
	_, err := u.takeEntry(ctx, e)
	return err
}

// queuedRow is an open letter with what it takes to try it again.
type queuedRow struct {
	Seq         int64      `db:"seq"`
	Scope       string     `db:"scope"`
	ID          string     `db:"id"`
	Key         *string    `db:"key"`
	State       string     `db:"state"`
	Attempts    int64      `db:"attempts"`
	Partition   int64      `db:"partition_id"`
	Offset      int64      `db:"record_offset"`
	RecordKey   []byte     `db:"record_key"`
	RecordValue []byte     `db:"record_value"`
	Headers     string     `db:"headers"`
	Arrived     time.Time  `db:"arrived_at"`
	FirstFailed *time.Time `db:"first_failed"`
	RetryAt     *time.Time `db:"retry_at"`
}

// dueRow is a letter that is due.
type dueRow struct {
	Seq      int64   `db:"seq"`
	Scope    string  `db:"scope"`
	Key      *string `db:"key"`
	Attempts int64   `db:"attempts"`
}

type partitionRow struct {
	Topic     string `db:"topic"`
	Partition int64  `db:"partition_id"`
}

// due returns letters whose time has come, of the partitions that are owned, the longest due first. The limit is hidden
// from SQLite, which would plan the statement anew at each look.
func (p *ParkingLot[I]) due(ctx context.Context) (due []dueRow, err error) {
	var owned []partitionRow
	for topic, partitions := range p.cfg.Owned() {
		for _, id := range partitions {
			owned = append(owned, partitionRow{topic, int64(id)})
		}
	}
	if len(owned) == 0 {
		return nil, nil
	}
	now := event.Now(p.cfg.Clock)
	err = p.cfg.DB.Read(ctx, func(tx *sqldb.Tx) error {
		due, err = sqldb.Select[dueRow](ctx, tx.With(owned), `
			SELECT l.seq, l.scope, l.key, i.attempts
			FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id
			WHERE l.retry_at <= $1 AND i.state = 'parked' AND EXISTS (
				SELECT 1 FROM rows WHERE rows.topic = l.scope AND rows.partition_id = l.partition_id)
			ORDER BY l.retry_at, l.seq LIMIT (SELECT CAST($2 AS BIGINT))`, now, retriesAtATime)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for parked events: %w", err)
	}
	return due, nil
}

// queue returns what can be tried of the queue that d is of: from its head, if that is d, up to the first that is dead,
// at most limit of them, and one or those whose values have fewer bytes than room. A head that has failed before is
// tried alone, for it may well fail again. If d turns out to wait behind another, none but the head is due any more.
func (p *ParkingLot[I]) queue(ctx context.Context, d dueRow, limit, room int) (queue []queuedRow, err error) {
	which, value := "l.seq = $2", any(d.Seq)
	if d.Key != nil {
		which, value = "l.key = $2", *d.Key
	}
	if d.Attempts > 0 {
		limit = 1
	}
	err = p.cfg.DB.Read(ctx, func(tx *sqldb.Tx) error {
		queue, err = sqldb.Select[queuedRow](ctx, tx, `
			SELECT seq, scope, id, key, state, attempts, partition_id, record_offset, record_key, record_value, headers,
				arrived_at, first_failed, retry_at
			FROM (
				SELECT l.seq, l.scope, l.id, l.key, i.state, i.attempts, l.partition_id, l.record_offset, l.record_key,
					l.record_value, l.headers, l.arrived_at, l.first_failed, l.retry_at,
					sum(coalesce(length(l.record_value), 0)) OVER (ORDER BY l.seq)
						- coalesce(length(l.record_value), 0) AS before
				FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id
				WHERE l.scope = $1 AND `+which+` AND i.state IN ('parked', 'dead')
				ORDER BY l.seq LIMIT $3) AS queue
			WHERE before < $4 ORDER BY seq`, d.Scope, value, limit, room)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read a queue: %w", err)
	}
	if len(queue) > 0 && queue[0].Seq != d.Seq {
		return nil, p.wait(ctx, queue[0])
	}
	for i, row := range queue {
		if row.State != stateParked {
			return queue[:i], nil
		}
	}
	return queue, nil
}

// wait makes those behind head due no longer, and head itself due if it should be and nobody did. Whoever ends head
// locks its row too, and makes the next one due after that.
func (p *ParkingLot[I]) wait(ctx context.Context, head queuedRow) error {
	now := event.Now(p.cfg.Clock)
	err := p.cfg.DB.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := tx.Lock(ctx, `SELECT 1 FROM inbox WHERE scope = $1 AND id = $2`, head.Scope, head.ID); err != nil {
			return err
		}
		states, err := sqldb.Select[string](ctx, tx, `SELECT state FROM inbox WHERE scope = $1 AND id = $2`,
			head.Scope, head.ID)
		if err != nil || len(states) == 0 || states[0] != stateParked && states[0] != stateDead {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE letters SET retry_at = NULL WHERE scope = $1 AND key = $2 AND seq > $3
			AND retry_at <= $4`, head.Scope, *head.Key, head.Seq, now)
		if err == nil && head.RetryAt == nil {
			err = promote(ctx, tx, []streamRow{{head.Scope, *head.Key}}, now)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("let events wait behind another: %w", err)
	}
	return nil
}

func (p *ParkingLot[I]) decode(ctx context.Context, row queuedRow) (Retry[I], error) {
	headers, err := unmarshalHeaders(row.Headers)
	if err != nil {
		return Retry[I]{}, err
	}
	m, wanted, err := p.cfg.Decode(ctx, &Record{
		Topic: row.Scope, Partition: int32(row.Partition), Offset: row.Offset,
		Key: row.RecordKey, Value: row.RecordValue, Headers: headers,
	})
	if err != nil {
		return Retry[I]{}, fmt.Errorf("decode a parked event: %w", err)
	}
	m.ID = row.ID
	if strings.HasPrefix(row.ID, contradiction) {
		wanted, m.Fault = true, &Fault{Class: ClassContradiction, Err: ErrReused}
	}
	r := Retry[I]{Message: m, Tried: row.Attempts, Unwanted: !wanted}
	if row.FirstFailed != nil {
		r.Failed = *row.FirstFailed
	}
	return r, nil
}
