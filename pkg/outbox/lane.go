package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// ErrTooLarge says that a row's record is larger than its topic takes. Its lane stands still until the topic takes
// larger ones and MaxRecordBytes says so.
var ErrTooLarge = errors.New("outbox row too large for its topic")

// headerOverhead is the most that a header's two lengths take on the wire.
const headerOverhead = 10

var errNoAnswer = errors.New("no acknowledgement in time; see that enough brokers run and answer")

// lane publishes the rows of one topic, through a client of its own, so that topics do not wait for each other.
type lane struct {
	topic  string
	db     *sqldb.DB
	cfg    Config
	woken  chan struct{}
	client *kgo.Client

	mu  sync.Mutex
	err error
}

// stuck returns the failure that the lane stands at, nil if the last round went through.
func (l *lane) stuck() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return fmt.Errorf("outbox lane %s: %w", l.topic, l.err)
	}
	return nil
}

// stand says at what the lane stands still.
func (l *lane) stand(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if (err == nil) != (l.err == nil) {
		stopped := int64(0)
		if err != nil {
			stopped = 1
		}
		l.cfg.Metrics.stopped(l.topic, stopped)
	}
	l.err = err
}

func (l *lane) run(ctx context.Context) {
	defer l.renew()
	defer l.stand(nil) // another process may have taken over
	pause, failures := l.cfg.PollMin, 0
	for ctx.Err() == nil {
		n, err := l.round(ctx)
		l.stand(err)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			l.cfg.Logger.Error("outbox lane stands still, trying again", "topic", l.topic, "error", err)
			l.cfg.Metrics.failed(ctx, l.topic)
			wait(ctx, nil, min(50*time.Millisecond<<min(failures, 6), 2*time.Second))
		case n == 0:
			wait(ctx, l.woken, pause)
			pause, failures = min(pause*2, l.cfg.PollMax), 0
		default:
			pause, failures = l.cfg.PollMin, 0
		}
	}
}

// round reads the oldest rows, produces them with no transaction open, and deletes those that were acknowledged, up to
// the first that was not. It returns how many it deleted.
func (l *lane) round(ctx context.Context) (int, error) {
	rows, err := l.oldest(ctx)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	acknowledged, failure := l.produce(ctx, rows)
	if failure != nil && !errors.Is(failure, ErrTooLarge) {
		l.renew() // what it still holds must not be appended after what the next round hands over
	}
	if acknowledged == 0 {
		return 0, failure
	}
	failpoint.Hit(failpoint.RelayProduced)
	if err := l.remove(ctx, rows[:acknowledged]); err != nil {
		return 0, errors.Join(failure, err)
	}
	l.cfg.Metrics.relayed(ctx, l.topic, acknowledged, time.Since(rows[0].Written))
	return acknowledged, failure
}

// oldest hides the topic from SQLite's planner in a subquery, and has the limit in the text: SQLite would plan the
// statement anew at each run, because their values might change the plan, and planning costs more than running.
func (l *lane) oldest(ctx context.Context) (rows []row, err error) {
	err = l.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err = sqldb.Select[row](ctx, tx, fmt.Sprintf(`
			SELECT 0 AS ord, seq, topic, key, headers, value, written_at FROM (
				SELECT seq, topic, key, headers, value, written_at,
					sum(length(headers) + coalesce(length(value), 0)) OVER (ORDER BY seq)
						- length(headers) - coalesce(length(value), 0) AS before
				FROM outbox WHERE topic = (SELECT $1) ORDER BY seq LIMIT %d) AS oldest
			WHERE before < $2 ORDER BY seq`, l.cfg.BatchRows), l.topic, l.cfg.BatchBytes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return rows, nil
}

// produce hands rows over in order and returns how many were acknowledged before the first that was not, and why that
// one failed. Nothing is handed over after a row that does not fit.
func (l *lane) produce(ctx context.Context, rows []row) (acknowledged int, failure error) {
	if l.client == nil {
		client, err := l.cfg.NewClient(
			kgo.DefaultProduceTopic(l.topic),
			kgo.ManualFlushing(),
			kgo.MaxBufferedRecords(2*l.cfg.BatchRows),
			kgo.ProducerBatchMaxBytes(int32(l.maxBytes()+16<<10)),
			kgo.RecordRetries(3),
			kgo.WithHooks(sending{}),
		)
		if err != nil {
			return 0, err
		}
		l.client = client
	}

	records := make([]*kgo.Record, 0, len(rows))
	var oversized error
	for _, r := range rows {
		record, err := l.record(r)
		if err != nil {
			oversized = err
			break
		}
		records = append(records, record)
	}

	client := l.client
	// A record's own context could withdraw it from the middle of its key, so they have none: past the deadline the
	// whole client goes.
	results := make([]error, len(records))
	var pending sync.WaitGroup
	pending.Add(len(records))
	for i, record := range records {
		client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
			results[i] = err
			pending.Done()
		})
		failpoint.Hit(failpoint.RelayHandedOver)
	}
	answered := make(chan struct{})
	go func() {
		// Nothing has left so far: what comes behind a batch that the brokers refuse fails with it, while what was
		// handed over after their refusal would not.
		_ = client.Flush(context.Background()) // ends when all are answered, or the client is closed
		pending.Wait()
		close(answered)
	}()
	timer := time.NewTimer(l.cfg.ProduceWithin)
	defer timer.Stop()
	select {
	case <-answered:
	case <-ctx.Done():
		l.renew()
		<-answered
	case <-timer.C:
		failure = errNoAnswer
		l.renew()
		<-answered
	}

	for i, err := range results {
		if err != nil {
			if failure == nil {
				failure = fmt.Errorf("produce: %w", l.cfg.Explain(client, err))
			}
			return i, failure
		}
	}
	if failure == nil {
		failure = oversized
	}
	return len(records), failure
}

// record returns r as a Kafka record without a timestamp: the client stamps it when it is produced, so that retention
// counts from there.
func (l *lane) record(r row) (*kgo.Record, error) {
	headers, err := unmarshalHeaders(r.Headers)
	if err != nil {
		return nil, err
	}
	size := len(r.Key) + len(r.Value)
	record := &kgo.Record{Topic: l.topic, Key: []byte(r.Key), Value: r.Value, Headers: kafkaHeaders(headers)}
	for _, h := range headers {
		size += len(h.Key) + len(h.Value) + headerOverhead
	}
	if size > l.maxBytes() {
		return nil, fmt.Errorf("%w: seq %d of %s is %d bytes, at most %d fit", ErrTooLarge, r.Seq, l.topic, size,
			l.maxBytes())
	}
	l.trace(record, r.Written)
	return record, nil
}

func (l *lane) maxBytes() int { return cmp.Or(l.cfg.MaxRecordBytesOf[l.topic], l.cfg.MaxRecordBytes) }

func kafkaHeaders(headers []event.Header) []kgo.RecordHeader {
	out := make([]kgo.RecordHeader, len(headers))
	for i, h := range headers {
		out[i] = kgo.RecordHeader{Key: h.Key, Value: h.Value}
	}
	return out
}

type seq struct {
	Seq int64 `db:"seq"`
}

// remove deletes rows one by one by their seq: a range could take along a row that was committed meanwhile. The end of
// ctx does not keep it from it, only ProduceWithin does: what is left is published again.
func (l *lane) remove(ctx context.Context, rows []row) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.cfg.ProduceWithin)
	defer cancel()
	seqs := make([]seq, len(rows))
	for i, r := range rows {
		seqs[i] = seq{r.Seq}
	}
	err := l.db.Tx(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.With(seqs).Exec(ctx, `DELETE FROM outbox WHERE seq IN (SELECT seq FROM rows)`)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete %d rows from the outbox: %w", len(rows), err)
	}
	return nil
}

// renew closes the client, which fails all that it holds; the next round makes a new one.
func (l *lane) renew() {
	if l.client != nil {
		l.client.Close()
		l.client = nil
	}
}
