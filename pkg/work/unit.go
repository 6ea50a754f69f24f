// Package work is the one way through a service: every change of state, whether an HTTP command, a Kafka event, a due
// timer or the answer of an outside call asks for it, is a Message that the Unit loads for, decides and saves, many at
// a time in one transaction, together with the inbox rows of what was handled and the outbox rows of what happened.
//
// This file holds the whole transaction. decide.go folds the messages, park.go says what becomes of those that are
// refused, retry.go what follows when a transaction fails, loop.go how messages come in, parking.go how those that are
// parked come back.
package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// Config of a Unit.
type Config struct {
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time
	// MaxBatch is the most messages in one transaction, unless a single Take is larger. Defaults to 500.
	MaxBatch int
	// MaxWaiting is the most commands that may wait for their transaction. Defaults to 10,000.
	MaxWaiting int
	// TakeWithin is how long a command may wait for its transaction to begin. Defaults to 5 s.
	TakeWithin time.Duration
	// TransactionTimeout bounds one attempt of a transaction, far below the consumer group's rebalance timeout.
	// Defaults to 20 s.
	TransactionTimeout time.Duration
	// Parking says how long what fails is tried again.
	Parking Parking
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Metrics default to none.
	Metrics *Metrics
	// Spans make the spans of messages. Default to none.
	Spans *telemetry.Spans
	// Refuse is asked about each event before it is decided; an error counts as that of Decide. Tests make handlers
	// fail by it. Defaults to nil.
	Refuse func(key string) error
}

func (c Config) withDefaults() Config {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = 500
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 10_000
	}
	if c.TakeWithin == 0 {
		c.TakeWithin = 5 * time.Second
	}
	if c.TransactionTimeout == 0 {
		c.TransactionTimeout = 20 * time.Second
	}
	c.Parking = c.Parking.withDefaults()
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics()
	}
	return c
}

// Unit is a service's unit of work. One goroutine, Run, decides and commits; parallelism is replicas.
type Unit[I Input[S, E], S, E any] struct {
	service  Service[I, S, E]
	db       *sqldb.DB
	cfg      Config
	queue    *queue[I]
	stopped  chan struct{}
	onCommit []func(facts []Fact[E])
}

// New returns a Unit that does nothing until Run.
func New[I Input[S, E], S, E any](service Service[I, S, E], db *sqldb.DB, cfg Config) *Unit[I, S, E] {
	cfg = cfg.withDefaults()
	return &Unit[I, S, E]{
		service: service, db: db, cfg: cfg,
		queue: newQueue[I](cfg.MaxWaiting), stopped: make(chan struct{}),
	}
}

// OnCommit has fn called, in the loop, after each commit that handled something, facts or none. It must be set before
// Run, must not block, and is the fast path only: a commit whose answer was lost is not announced.
func (u *Unit[I, S, E]) OnCommit(fn func(facts []Fact[E])) { u.onCommit = append(u.onCommit, fn) }

// transact handles items in one transaction. On nil every item has its outcome; on an error none has, and nothing was
// written, or, if the commit's own answer was lost, all of it may have been: the inbox knows.
func (u *Unit[I, S, E]) transact(ctx context.Context, items []*item[I]) (err error) {
	defer func() {
		if p := recover(); p != nil { // of Load or Save: what they panic at is found by halving
			err = fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, u.cfg.TransactionTimeout)
	defer cancel()
	now := event.Now(u.cfg.Clock)

	var b *batch[I, E]
	err = u.db.Tx(ctx, func(tx *sqldb.Tx) error {
		b = newBatch[I, E](items)
		if err := b.look(ctx, tx, now); err != nil {
			return err
		}
		for folded := false; !folded && len(b.fresh) > 0; {
			state, err := u.service.Load(ctx, tx, b.inputs())
			if err != nil {
				return err
			}
			failpoint.Hit(failpoint.UnitLoaded)
			if folded = u.fold(b, state); !folded {
				continue // a panic left the state unknown: load again and leave that message out
			}
			failpoint.Hit(failpoint.UnitDecided)
			if err := u.service.Save(ctx, tx, state, b.facts); err != nil {
				return err
			}
			failpoint.Hit(failpoint.UnitSaved)
		}

		if err := b.checkRefused(ctx, tx); err != nil {
			return err
		}
		if err := u.mark(ctx, tx, b, now); err != nil {
			return err
		}
		if len(b.records) > 0 {
			return outbox.Insert(ctx, tx, b.records, now)
		}
		return nil
	})
	if sqldb.IsDuplicate(err) {
		err = errors.Join(ErrConflict, err)
	}
	if err != nil {
		return err
	}

	failpoint.Hit(failpoint.UnitCommitted)
	u.cfg.Metrics.committed(ctx, b.counts())
	for _, l := range b.letters {
		u.cfg.Metrics.letter(ctx, l)
		l.tell(u.cfg.Logger)
	}
	if b.done > 0 {
		for _, fn := range u.onCommit {
			fn(b.facts)
		}
	}
	b.conclude()
	return nil
}
