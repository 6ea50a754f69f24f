package kafka

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// delivery is one batch of records on its way through the unit of work. A chain of them keeps the order: each is
// decoded at once, taken after the one before it, and its offsets are committed after those of the one before it.
type delivery[I any] struct {
	records []*kgo.Record
	taken   chan struct{} // closed once the unit has answered; err may be read then
	done    chan struct{} // closed once the offsets are committed too
	err     error
}

// failed reports whether it was given back. It may be called once taken.
func (d *delivery[I]) failed() bool { return d.err != nil }

// deliver starts a delivery, whose goroutine ends with done.
func (c *Consumer[I]) deliver(ctx context.Context, records []*kgo.Record, previous *delivery[I]) *delivery[I] {
	d := &delivery[I]{records: records, taken: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(d.done)
		var done offsets
		done, d.err = c.handle(ctx, d, previous)
		close(d.taken)
		if d.failed() {
			c.breakOff(d.err)
		}
		if previous != nil {
			<-previous.done
		}
		c.commit(ctx, done)
	}()
	return d
}

// message is a decoded record; unwanted ones have no message but move the offset.
type message[I any] struct {
	work.Message[I]
	record *kgo.Record
	wanted bool
}

// handle returns the offsets that may be committed: for each partition the one after the last record that was taken.
func (c *Consumer[I]) handle(ctx context.Context, d, previous *delivery[I]) (offsets, error) {
	messages, err := c.decode(ctx, d.records)
	if previous != nil {
		if <-previous.taken; previous.failed() {
			return nil, previous.err
		}
	}
	if err != nil {
		return nil, err
	}

	done := make(offsets)
	for len(messages) > 0 {
		n := c.fit(messages)
		if err := c.take(ctx, messages[:n], done); err != nil {
			return done, err
		}
		messages = messages[n:]
	}
	return done, nil
}

// decode waits, with backoff, while the registry is away.
func (c *Consumer[I]) decode(ctx context.Context, records []*kgo.Record) ([]message[I], error) {
	messages := make([]message[I], 0, len(records))
	for _, r := range records {
		for attempt := 1; ; attempt++ {
			m, wanted, err := c.cfg.Decode(ctx, r)
			if err == nil {
				messages = append(messages, message[I]{Message: m, record: r, wanted: wanted})
				break
			}
			c.cfg.Logger.Warn("cannot decode yet, trying again", "topic", r.Topic, "offset", r.Offset, "error", err)
			timer := time.NewTimer(min(50*time.Millisecond<<min(attempt, 6), 2*time.Second))
			select {
			case <-ctx.Done():
				timer.Stop()
				return nil, work.ErrStopped
			case <-timer.C:
			}
		}
	}
	return messages, nil
}

// fit returns how many of messages one transaction may carry, at least one.
func (c *Consumer[I]) fit(messages []message[I]) int {
	bytes := 0
	for i, m := range messages {
		if bytes += len(m.record.Value); bytes > c.cfg.MaxBytes && i > 0 {
			return i
		}
	}
	return len(messages)
}

// take hands messages to the unit and notes how far it has come.
func (c *Consumer[I]) take(ctx context.Context, messages []message[I], done offsets) error {
	var taken []work.Message[I]
	for _, m := range messages {
		if m.wanted {
			taken = append(taken, m.Message)
		}
	}
	if _, err := c.cfg.Take(ctx, taken); err != nil {
		return err
	}
	for _, m := range messages {
		done.passed(m.record)
	}
	return nil
}

// commit tells the group how far it has come, and what it refused before. A refusal is made good by a later commit, at
// the latest when the loop has nothing else to do; after a loss of the partition the inbox recognises what comes again.
func (c *Consumer[I]) commit(ctx context.Context, done offsets) {
	done = c.withRefused(done)
	if len(done) == 0 {
		return
	}
	failpoint.Hit(failpoint.ConsumerTaken)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.GiveBack)
	defer cancel()
	refused, err := done.commit(ctx, c.client)
	if err != nil && c.refusals.Due(err.Error()) {
		c.cfg.Logger.Warn("offset commit refused", "group", c.cfg.Group, "error", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused = refused.of(c.owned); len(c.refused) == 0 {
		c.pause = 0
		return
	}
	c.pause = min(max(2*c.pause, pollFor), againMax)
	c.again = time.Now().Add(c.pause)
}

// withRefused takes the offsets that were refused into done, which is further wherever it has one.
func (c *Consumer[I]) withRefused(done offsets) offsets {
	c.mu.Lock()
	defer c.mu.Unlock()
	refused := c.refused
	c.refused = nil
	return refused.then(done)
}

// isBehind reports whether it is time to commit again what was refused.
func (c *Consumer[I]) isBehind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.refused) > 0 && !time.Now().Before(c.again)
}
