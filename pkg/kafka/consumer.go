package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// ConsumerConfig of a Consumer.
type ConsumerConfig[I any] struct {
	Config
	// Group is the consumer group; by convention the service's name.
	Group string
	// Topics to consume.
	Topics []string
	// Decode turns a record into a message. False: skip it, for its type is unknown or of no interest.
	Decode func(ctx context.Context, r *kgo.Record) (m work.Message[I], wanted bool, err error)
	// Take handles a batch; see work.Unit.Take.
	Take func(ctx context.Context, messages []work.Message[I]) ([]work.Refusal, error)
	// MaxRecords in one batch. Defaults to 500.
	MaxRecords int
	// MaxBytes of the values in one batch, unless a single record is larger. Defaults to 8 MiB.
	MaxBytes int
	// GiveBack is how long a rebalance or a shutdown waits for batches under way before they are given back. It must
	// be far below the group's rebalance timeout. Defaults to 5 s.
	GiveBack time.Duration
	// Metrics default to none.
	Metrics *Metrics
}

func (c ConsumerConfig[I]) withDefaults() ConsumerConfig[I] {
	if c.MaxRecords == 0 {
		c.MaxRecords = 500
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 8 << 20
	}
	if c.GiveBack == 0 {
		c.GiveBack = 5 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics()
	}
	return c
}

// Consumer feeds a unit of work from a consumer group. Offsets are committed after the database's commit, and only
// while the partition is owned. It is one batch ahead: while one batch is in its transaction the next is fetched and
// decoded.
//
// What the unit of work refuses it keeps itself, parked or dead, so the offset moves past it.
type Consumer[I any] struct {
	cfg     ConsumerConfig[I]
	client  *kgo.Client
	session *session
	// refusals are the refused commits that were logged.
	refusals telemetry.Repeats

	mu       sync.Mutex
	wanted   bool               // a rebalance waits for us
	broken   error              // a delivery was given back although nobody asked for it
	wake     context.CancelFunc // ends the poll under way
	owned    map[partition]bool
	fetchErr map[partition]error
	refused  offsets       // what the group would not commit
	again    time.Time     // when it is committed again
	pause    time.Duration // until then; it grows with each refusal
}

const (
	// pollFor is how long a poll waits for records at most. Then a commit that was refused is made again.
	pollFor = time.Second
	// againMax is the longest pause before that, if it is refused time and again.
	againMax = 30 * time.Second
	// errorPause is how long the loop rests when a poll brings nothing but errors: a partition that cannot be read is
	// fetched again at once.
	errorPause = 100 * time.Millisecond
)

type partition struct {
	topic string
	id    int32
}

// NewConsumer returns a Consumer that joins its group with Run.
func NewConsumer[I any](cfg ConsumerConfig[I]) (*Consumer[I], error) {
	c := &Consumer[I]{
		cfg:      cfg.withDefaults(),
		owned:    make(map[partition]bool),
		fetchErr: make(map[partition]error),
	}
	c.session = newSession(c.cfg.Group, c.cfg.Brokers, c.cfg.Logger)
	client, err := NewClient(cfg.Config,
		kgo.ConsumerGroup(cfg.Group),
		kgo.ConsumeTopics(cfg.Topics...),
		kgo.ServerSideBalancer(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsCallbackBlocked(func(context.Context, *kgo.Client) { c.rebalanceWanted() }),
		kgo.OnPartitionsAssigned(c.own),
		kgo.OnPartitionsRevoked(c.forget),
		kgo.OnPartitionsLost(c.forget),
		kgo.WithHooks(c.session),
		// A longer wait delays what is fetched after a rewind: the outstanding fetch has to end first.
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxBytes(16<<20),
	)
	if err != nil {
		return nil, err
	}
	c.client = client
	return c, nil
}

// Err is nil once the group is joined, and while its coordinator answers and every partition that is owned can be read.
func (c *Consumer[I]) Err() error {
	var errs []error
	_, epoch := c.client.GroupMetadata()
	joined := epoch > 0
	if !joined {
		errs = append(errs, fmt.Errorf("consumer group %s: not joined yet", c.cfg.Group))
	}
	errs = append(errs, c.session.err(joined))
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, err := range c.fetchErr {
		errs = append(errs, fmt.Errorf("partition %d of %s cannot be read: %w", p.id, p.topic, err))
	}
	return errors.Join(errs...)
}

// Run consumes until ctx ends, then lets batches under way finish, commits their offsets and leaves the group. It
// returns an error only if the unit of work stopped first.
func (c *Consumer[I]) Run(ctx context.Context) error {
	defer c.client.CloseAllowingRebalance()
	term := newTerm(ctx)
	defer func() { term.giveBack() }()

	var flight []*delivery[I]
	for ctx.Err() == nil {
		if c.mustYield() {
			c.drain(flight, term.giveBack)
			term.giveBack()
			c.rewind(flight)
			flight, term = nil, newTerm(ctx)
			c.yield()
		}
		if err := c.brokenBy(); err != nil {
			term.giveBack()
			c.drain(flight, term.giveBack)
			return fmt.Errorf("consumer group %s: %w", c.cfg.Group, err)
		}
		records := c.poll(ctx)
		if len(records) == 0 && !c.isBehind() {
			continue
		}
		var previous *delivery[I]
		if len(flight) > 0 {
			previous = flight[len(flight)-1]
		}
		flight = append(flight, c.deliver(term.ctx, records, previous))
		if len(flight) > 1 && c.await(ctx, flight[0]) {
			flight = flight[1:]
		}
	}
	c.drain(flight, term.giveBack)
	return nil
}

// term is the time between two rebalances. What is under way outlives the consumer's own context by the time to drain,
// and ends when it is given back.
type term struct {
	ctx      context.Context
	giveBack context.CancelFunc
}

func newTerm(ctx context.Context) term {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return term{ctx, cancel}
}

// poll returns the next records, none if there are none for a while or the loop has something else to see to.
func (c *Consumer[I]) poll(ctx context.Context) []*kgo.Record {
	ctx, cancel := c.untilWanted(ctx)
	defer cancel()
	timer := time.AfterFunc(pollFor, cancel) // not a deadline, which the client would tell as a fault
	defer timer.Stop()
	fetches := c.client.PollRecords(ctx, c.cfg.MaxRecords)
	failed := false
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		c.noteFetch(ctx, p)
		failed = failed || p.Err != nil
	})
	records := fetches.Records()
	if failed && len(records) == 0 {
		timer.Reset(errorPause)
		<-ctx.Done()
	}
	return records
}

// noteFetch keeps what a fetch said, an offset out of range or a lost session, for Err.
func (c *Consumer[I]) noteFetch(ctx context.Context, p kgo.FetchTopicPartition) {
	if p.Topic == "" { // not of a partition, but of the client as a whole
		c.session.fail(p.Err)
		return
	}
	key := partition{p.Topic, p.Partition}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Err != nil {
		if errors.Is(p.Err, context.Canceled) {
			return
		}
		if known := c.fetchErr[key]; known == nil || known.Error() != p.Err.Error() {
			c.cfg.Logger.Error("cannot read partition", "topic", p.Topic, "partition", p.Partition, "error", p.Err)
			c.cfg.Metrics.stopped(ctx, c.cfg.Group, p.Topic, p.Partition, 1)
		}
		c.fetchErr[key] = p.Err
		return
	}
	if len(p.Records) > 0 {
		if c.fetchErr[key] != nil {
			c.cfg.Metrics.stopped(ctx, c.cfg.Group, p.Topic, p.Partition, 0)
			delete(c.fetchErr, key)
		}
		c.session.read()
	}
}

// await waits for d and reports whether it is done and well; what else the loop has to see to cuts it short.
func (c *Consumer[I]) await(ctx context.Context, d *delivery[I]) bool {
	ctx, cancel := c.untilWanted(ctx)
	defer cancel()
	select {
	case <-d.done:
		return !d.failed()
	case <-ctx.Done():
		return false
	}
}

// untilWanted returns a context that ends when a rebalance is wanted or a delivery was given back.
func (c *Consumer[I]) untilWanted(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake = cancel
	if c.wanted || c.broken != nil {
		cancel()
	}
	return ctx, cancel
}

// drain waits for all of flight, and after GiveBack tells them to stop.
func (c *Consumer[I]) drain(flight []*delivery[I], giveBack context.CancelFunc) {
	timer := time.AfterFunc(c.cfg.GiveBack, giveBack)
	defer timer.Stop()
	for _, d := range flight {
		<-d.done
	}
}

// rewind makes the client fetch again, from partitions that stay ours, what was given back. It must run while the
// rebalance is blocked and no offset commit is under way.
func (c *Consumer[I]) rewind(flight []*delivery[I]) {
	back := make(offsets)
	for _, d := range flight {
		if !d.failed() {
			continue
		}
		for _, r := range d.records {
			if first, ok := back[r.Topic][r.Partition]; !ok || r.Offset < first.Offset {
				back.set(r.Topic, r.Partition, kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset})
			}
		}
	}
	if len(back) > 0 {
		c.client.SetOffsets(back)
	}
}

func (c *Consumer[I]) rebalanceWanted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = true
	if c.wake != nil {
		c.wake()
	}
}

// breakOff tells the loop that a delivery was given back.
func (c *Consumer[I]) breakOff(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
	if c.wake != nil {
		c.wake()
	}
}

func (c *Consumer[I]) brokenBy() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

func (c *Consumer[I]) mustYield() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wanted
}

// yield lets the rebalance happen. What was given back for it has been rewound and breaks nothing.
func (c *Consumer[I]) yield() {
	failpoint.Hit(failpoint.ConsumerYielding)
	c.mu.Lock()
	c.wanted, c.broken = false, nil
	c.mu.Unlock()
	c.client.AllowRebalance()
}

// Owned returns the partitions that are ours, by topic.
func (c *Consumer[I]) Owned() map[string][]int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	owned := make(map[string][]int32)
	for p := range c.owned {
		owned[p.topic] = append(owned[p.topic], p.id)
	}
	return owned
}

func (c *Consumer[I]) own(ctx context.Context, _ *kgo.Client, assigned map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, ids := range assigned {
		for _, id := range ids {
			c.owned[partition{topic, id}] = true
			c.cfg.Metrics.stopped(ctx, c.cfg.Group, topic, id, 0)
		}
	}
}

// forget drops what was known of partitions that are no longer ours.
func (c *Consumer[I]) forget(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, ids := range lost {
		for _, id := range ids {
			key := partition{topic, id}
			if c.fetchErr[key] != nil {
				c.cfg.Metrics.stopped(context.Background(), c.cfg.Group, topic, id, 0)
			}
			delete(c.owned, key)
			c.refused.drop(key)
			delete(c.fetchErr, key)
		}
	}
}
