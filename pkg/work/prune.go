package work

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Forever is the age at which nothing is ever pruned.
const Forever = time.Duration(-1)

// PrunerConfig of a Pruner.
type PrunerConfig struct {
	// Commands is how long commands are remembered under their Idempotency-Key. Defaults to 24 h.
	Commands time.Duration
	// Events returns how long everything else is remembered: longer than any consumed topic may still deliver it, or
	// Forever. It is asked anew for each round; on an error only commands are pruned. Nil: Forever.
	Events func(ctx context.Context) (time.Duration, error)
	// Unasked is how long a timer or an answer stays parked after its last attempt while nobody hands it in again: what
	// it was about has ended another way. It must be far longer than Parking.MaxPause, and than calls wait before they
	// are made again. One that an operator has redriven is kept as long as events are. Defaults to 10 min.
	Unasked time.Duration
	// Step is how many rows one transaction deletes. Defaults to 500.
	Step int
	// Share is the part of the time that deleting may take while there is something to delete: after each transaction
	// it rests for so long. Defaults to 0.1.
	Share float64
	// Every is the time between rounds. Defaults to 1 min.
	Every time.Duration
	// Clock defaults to time.Now, Logger to slog.Default(), Meter to none.
	Clock  func() time.Time
	Logger *slog.Logger
	Meter  metric.Meter
}

func (c PrunerConfig) withDefaults() PrunerConfig {
	if c.Commands == 0 {
		c.Commands = 24 * time.Hour
	}
	if c.Events == nil {
		c.Events = func(context.Context) (time.Duration, error) { return Forever, nil }
	}
	if c.Unasked == 0 {
		c.Unasked = 10 * time.Minute
	}
	if c.Step == 0 {
		c.Step = 500
	}
	if c.Share == 0 {
		c.Share = 0.1
	}
	if c.Every == 0 {
		c.Every = time.Minute
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Meter == nil {
		c.Meter = noop.Meter{}
	}
	return c
}

// Pruner deletes from the inbox what is done or discarded and old enough that it cannot come again, with its letters
// and rulings. A timer that was discarded it keeps, for it would be handed in again. What is parked or dead it never
// touches, but for parked timers and answers that are no longer handed in. Any number of them may run on one database.
type Pruner struct {
	db     *sqldb.DB
	cfg    PrunerConfig
	pruned metric.Int64Counter
	// said is the age of events that was logged last.
	said time.Duration
}

// NewPruner returns a Pruner that deletes nothing until Run.
func NewPruner(db *sqldb.DB, cfg PrunerConfig) (*Pruner, error) {
	p := &Pruner{db: db, cfg: cfg.withDefaults()}
	var err error
	p.pruned, err = p.cfg.Meter.Int64Counter("quadrille.work.pruned",
		metric.WithDescription("Rows of the inbox deleted because they were old enough."))
	if err != nil {
		return nil, fmt.Errorf("metric quadrille.work.pruned: %w", err)
	}
	return p, nil
}

// kinds of rows that have an age of their own, each as an index has it. Commands have a status, all else has none.
const (
	closed    = `state IN ('done', 'discarded')`
	recurring = `scope IN ('` + ScopeTimer + `', '` + ScopeCall + `')`

	oldCommands = `status > 0 AND ` + closed
	oldEvents   = `status <= 0 AND ` + closed + ` AND NOT (state = 'discarded' AND scope = '` + ScopeTimer + `')`
	redriven    = `state IN ('parked', 'dead') AND state = 'parked' AND ` + recurring
	unasked     = redriven + ` AND attempts > 0`
)

// Run prunes until ctx ends. What fails is logged, and tried again in the next round.
func (p *Pruner) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := p.round(ctx); err != nil && ctx.Err() == nil {
			p.cfg.Logger.Warn("pruning of the inbox waits", "error", err)
		}
		rest(ctx, p.cfg.Every)
	}
	return nil
}

// round deletes all that is old enough now.
func (p *Pruner) round(ctx context.Context) error {
	if _, err := p.all(ctx, "command", oldCommands, p.cfg.Commands); err != nil {
		return err
	}
	if err := p.forget(ctx, unasked, p.cfg.Unasked); err != nil {
		return err
	}
	age, err := p.cfg.Events(ctx)
	if err != nil {
		return fmt.Errorf("ask for how long topics keep events: %w", err)
	}
	if age != p.said {
		p.said = age
		if age == Forever {
			p.cfg.Logger.Info("events are never pruned from the inbox: a consumed topic keeps them for ever")
		} else {
			p.cfg.Logger.Info("events are pruned from the inbox", "after", age)
		}
	}
	if age == Forever {
		return nil
	}
	if err := p.forget(ctx, redriven, age); err != nil {
		return err
	}
	_, err = p.all(ctx, "event", oldEvents, age)
	return err
}

// forget deletes parked timers and answers.
func (p *Pruner) forget(ctx context.Context, condition string, age time.Duration) error {
	n, err := p.all(ctx, "unasked", condition, age)
	if n > 0 {
		p.cfg.Logger.Info("parked timers and answers that nobody asks for are forgotten", "letters", n)
	}
	return err
}

// all deletes the rows of a kind that have come of age, and returns how many.
func (p *Pruner) all(ctx context.Context, kind, condition string, age time.Duration) (pruned int64, err error) {
	before := event.Now(p.cfg.Clock).Add(-age)
	for ctx.Err() == nil {
		began := time.Now()
		found, deleted, err := p.step(ctx, condition, before)
		if err != nil {
			return pruned, fmt.Errorf("prune the inbox: %w", err)
		}
		pruned += deleted
		p.pruned.Add(ctx, deleted, metric.WithAttributes(attribute.String("kind", kind)))
		if found < p.cfg.Step {
			return pruned, nil
		}
		rest(ctx, time.Duration(float64(time.Since(began))*(1/p.cfg.Share-1)))
	}
	return pruned, ctx.Err()
}

// step deletes the oldest rows. It chooses them without a lock, then locks them in one order, so that two pruners wait
// for each other rather than both for ever; what the other has deleted by then is gone.
func (p *Pruner) step(ctx context.Context, condition string, before time.Time) (found int, deleted int64, err error) {
	var rows []inboxKey
	err = p.db.Read(ctx, func(tx *sqldb.Tx) error {
		rows, err = sqldb.Select[inboxKey](ctx, tx, `
			SELECT scope, id FROM inbox WHERE `+condition+` AND handled_at < $1
			ORDER BY handled_at LIMIT $2`, before, p.cfg.Step)
		return err
	})
	if err != nil || len(rows) == 0 {
		return 0, 0, err
	}
	err = p.db.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := tx.With(rows).Lock(ctx, `SELECT 1 FROM inbox i JOIN rows ON rows.scope = i.scope AND rows.id = i.id
			ORDER BY i.scope, i.id`); err != nil {
			return err
		}
		deleted, err = tx.With(rows).Exec(ctx, `
			DELETE FROM inbox WHERE (scope, id) IN (SELECT scope, id FROM rows)
				AND `+condition+` AND handled_at < $1`, before)
		if err != nil {
			return err
		}
		for _, table := range []string{"letters", "rulings"} {
			_, err = tx.With(rows).Exec(ctx, `
				DELETE FROM `+table+` WHERE (scope, id) IN (SELECT scope, id FROM rows) AND NOT EXISTS (
					SELECT 1 FROM inbox i WHERE i.scope = `+table+`.scope AND i.id = `+table+`.id)`)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return len(rows), deleted, err
}

// rest returns after d, or when ctx ends.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
