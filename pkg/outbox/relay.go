package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// Config of a Relay.
type Config struct {
	// Topics that the service publishes to: one lane each.
	Topics []string
	// NewClient returns a producer for one lane. It must be idempotent with acks from all, which is kgo's default.
	NewClient func(opts ...kgo.Opt) (*kgo.Client, error)
	// Explain adds to an error of such a client what to do about it. Defaults to nothing.
	Explain func(client *kgo.Client, err error) error
	// BatchRows and BatchBytes bound what is read, produced and deleted at a time. Default to 1,000 and 8 MiB.
	BatchRows, BatchBytes int
	// MaxRecordBytes is the largest record (key, value and headers) that the topics take. Defaults to 768 KiB, which
	// leaves room below the brokers' default of 1 MiB.
	MaxRecordBytes int
	// MaxRecordBytesOf is the same for topics that take others. Defaults to none.
	MaxRecordBytesOf map[string]int
	// ProduceWithin is how long a batch may wait for its acknowledgements before the lane's client is renewed.
	// Defaults to 5 s.
	ProduceWithin time.Duration
	// PollMin and PollMax bound the wait between looks at an empty table, which doubles while nothing comes. What
	// this process commits wakes the relay at once; polling finds what other replicas commit. Default to 10 ms and
	// 100 ms.
	PollMin, PollMax time.Duration
	// StaleAfter is how old the oldest row may be while another process holds the lock before Err says so. Defaults to
	// 30 s.
	StaleAfter time.Duration
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Spans make the spans of what is published. Default to none.
	Spans *telemetry.Spans
	// Metrics default to none.
	Metrics *Metrics
}

func (c Config) withDefaults() Config {
	if c.Explain == nil {
		c.Explain = func(_ *kgo.Client, err error) error { return err }
	}
	if c.BatchRows == 0 {
		c.BatchRows = 1000
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = 8 << 20
	}
	if c.MaxRecordBytes == 0 {
		c.MaxRecordBytes = 768 << 10
	}
	if c.ProduceWithin == 0 {
		c.ProduceWithin = 5 * time.Second
	}
	if c.PollMin == 0 {
		c.PollMin = 10 * time.Millisecond
	}
	if c.PollMax == 0 {
		c.PollMax = 100 * time.Millisecond
	}
	if c.StaleAfter == 0 {
		c.StaleAfter = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics()
	}
	return c
}

// Relay publishes the rows of one database's outbox.
type Relay struct {
	db      *sqldb.DB
	cfg     Config
	lanes   []*lane
	standby standby
}

// NewRelay returns a Relay that does nothing until Run.
func NewRelay(db *sqldb.DB, cfg Config) *Relay {
	r := &Relay{db: db, cfg: cfg.withDefaults()}
	r.standby.db, r.standby.after = db, r.cfg.StaleAfter
	for _, topic := range r.cfg.Topics {
		r.cfg.Metrics.begin(topic)
		r.lanes = append(r.lanes, &lane{topic: topic, db: db, cfg: r.cfg, woken: make(chan struct{}, 1)})
	}
	return r
}

// Wake makes the relay look at the table now. It never blocks.
func (r *Relay) Wake() {
	for _, l := range r.lanes {
		select {
		case l.woken <- struct{}{}:
		default:
		}
	}
}

// Err is nil unless a lane stands still at a row that it cannot publish, or the process that holds the lock does not
// keep up ([ErrStale]).
func (r *Relay) Err() error {
	for _, l := range r.lanes {
		if err := l.stuck(); err != nil {
			return err
		}
	}
	return r.standby.stale()
}

// Run publishes until ctx ends. Of several relays on one PostgreSQL database one works at a time, which spares
// duplicates; correctness does not depend on it.
func (r *Relay) Run(ctx context.Context) error {
	var repeats telemetry.Repeats
	for ctx.Err() == nil {
		held, release, err := r.db.Hold(ctx, "quadrille.outbox")
		if err != nil || held == nil {
			if err == nil {
				r.standby.watch(ctx)
			} else if r.standby.over(); ctx.Err() == nil && repeats.Due(err.Error()) {
				r.cfg.Logger.Warn("relay waits for the database", "error", err)
			}
			wait(ctx, nil, r.cfg.PollMax)
			continue
		}
		r.standby.over()
		g, heldCtx := errgroup.WithContext(held)
		for _, l := range r.lanes {
			g.Go(func() error { l.run(heldCtx); return nil })
		}
		err = g.Wait()
		release()
		if err != nil {
			return err
		}
	}
	return nil
}

// wait returns at the end of ctx, when woken, or after d.
func wait(ctx context.Context, woken <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-woken:
	case <-timer.C:
	}
}
