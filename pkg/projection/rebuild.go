package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

const (
	// lookEvery is how often a rebuild is looked for that somebody asked for, or another replica left behind.
	lookEvery = 500 * time.Millisecond
	// switchWithin bounds the wait for writers under way, behind which all others queue.
	switchWithin = 5 * time.Second
	// maxRest bounds the pause after a batch.
	maxRest = time.Second
	// maxError is how much of an error is kept, in bytes.
	maxError = 1 << 10
)

// Config of a Rebuilder.
type Config struct {
	// Models that can be rebuilt.
	Models []Rebuildable
	// Batch is how many facts a transaction writes, or rows it deletes. Others wait for it on SQLite. Defaults to 200.
	Batch int
	// Clock defaults to time.Now, Logger to slog.Default().
	Clock  func() time.Time
	Logger *slog.Logger
}

// Rebuilder rebuilds read models, each on one replica at a time. What was asked for and what was begun is in the
// database, and nowhere else: if a process dies, another or its successor goes on.
type Rebuilder struct {
	db     *sqldb.DB
	cfg    Config
	models map[string]Rebuildable
}

// NewRebuilder returns a Rebuilder that rebuilds nothing until Run. To ask for a rebuild another one will do.
func NewRebuilder(db *sqldb.DB, cfg Config) *Rebuilder {
	if cfg.Batch == 0 {
		cfg.Batch = 200
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	models := make(map[string]Rebuildable)
	for _, m := range cfg.Models {
		models[m.Name] = m
	}
	return &Rebuilder{db: db, cfg: cfg, models: models}
}

// Models are the names of those that can be rebuilt.
func (r *Rebuilder) Models() []string {
	var names []string
	for name := range r.models {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Start has a model rebuilt, on behalf of an operator, and returns at once. The error is ErrUnknown, or ErrRunning with
// the status of the one that runs.
func (r *Rebuilder) Start(ctx context.Context, model, operator string) (s Status, err error) {
	if _, ok := r.models[model]; !ok {
		return s, ErrUnknown
	}
	now := event.Now(r.cfg.Clock)
	begun := Status{
		Model: model, Run: event.NewID(), Phase: PhaseClearing, Operator: operator, StartedAt: now, UpdatedAt: now,
	}
	err = r.db.Tx(ctx, func(tx *sqldb.Tx) error {
		began, err := tx.With([]Status{begun}).Exec(ctx, `
			INSERT INTO rebuilds (`+statusColumns+`) SELECT `+statusColumns+` FROM rows WHERE true
			ON CONFLICT (model) DO UPDATE SET run = excluded.run, phase = excluded.phase, position = excluded.position,
				done = excluded.done, total = excluded.total, operator = excluded.operator, error = excluded.error,
				started_at = excluded.started_at, updated_at = excluded.updated_at
			WHERE rebuilds.phase IN ('done', 'failed')`)
		if err != nil {
			return err
		}
		if s, err = status(ctx, tx, model); err == nil && began == 0 {
			return ErrRunning
		}
		return err
	})
	if err != nil {
		if errors.Is(err, ErrRunning) {
			return s, ErrRunning
		}
		return s, fmt.Errorf("start the rebuild of %s: %w", model, err)
	}
	r.cfg.Logger.InfoContext(ctx, "rebuild begins", "model", model, "operator", operator, "run", s.Run)
	return s, nil
}

// Run works rebuilds off until ctx ends.
func (r *Rebuilder) Run(ctx context.Context) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var repeats telemetry.Repeats
	for {
		for _, name := range r.Models() {
			if err := r.work(ctx, r.models[name]); err != nil && ctx.Err() == nil && repeats.Due(err.Error()) {
				r.cfg.Logger.WarnContext(ctx, "a rebuild waits", "model", name, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// work does what is left of the model's rebuild, if there is one that no other replica is at. An error of the
// infrastructure leaves it to the next look; any other ends the rebuild.
func (r *Rebuilder) work(ctx context.Context, m Rebuildable) error {
	s, err := r.Status(ctx, m.Name)
	if errors.Is(err, ErrNever) || err == nil && s.Phase.Ended() {
		return nil
	}
	if err != nil {
		return err
	}
	held, release, err := r.db.Hold(ctx, "rebuild of "+m.Name)
	if err != nil || held == nil {
		return err
	}
	defer release()
	if s, err = r.Status(held, m.Name); err != nil { // its last holder may have come further
		return err
	}
	for !s.Phase.Ended() {
		switch s.Phase {
		case PhaseClearing, PhaseDropping:
			err = r.empty(held, m, s)
		default:
			err = r.fill(held, m, s)
		}
		switch {
		case err == nil || errors.Is(err, errMoved):
		case held.Err() != nil || waits(err):
			return err
		default:
			r.cfg.Logger.ErrorContext(ctx, "rebuild failed; the model is served as before", "model", m.Name,
				"error", err)
			if err := r.fail(held, m, s, err); err != nil {
				return err
			}
		}
		if s, err = r.Status(held, m.Name); err != nil {
			return err
		}
	}
	r.cfg.Logger.InfoContext(ctx, "rebuild ended", "model", m.Name, "run", s.Run, "phase", s.Phase, "done", s.Done,
		"took", s.UpdatedAt.Sub(s.StartedAt).Round(time.Millisecond).String())
	return nil
}

// waits reports whether the same may succeed later.
func waits(err error) bool {
	return sqldb.IsUnavailable(err) || errors.Is(err, ErrAway) || errors.Is(err, context.DeadlineExceeded)
}

// fill writes what the source holds into the table that is being built, and has it served then.
func (r *Rebuilder) fill(ctx context.Context, m Rebuildable, s Status) error {
	source, err := m.open(ctx, r.db, s.Position)
	if err != nil {
		return err
	}
	defer source.close()
	for {
		began := time.Now()
		batch, err := source.next(ctx, r.cfg.Batch)
		if err != nil {
			return err
		}
		if batch == nil {
			return r.serve(ctx, m, s)
		}
		err = r.step(ctx, m, s, func(tx *sqldb.Tx, place placeRow) error {
			if place.Building == 0 {
				return errMoved
			}
			if err := batch.write(ctx, tx, m.Tables[place.Building-1]); err != nil {
				return err
			}
			return r.turn(ctx, tx, s, PhaseFilling, `position = $6, done = done + $7`, batch.position, batch.facts)
		})
		if err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
}

// empty deletes what is in the table that is not served.
func (r *Rebuilder) empty(ctx context.Context, m Rebuildable, s Status) error {
	for after, left := "", true; left; {
		began := time.Now()
		err := r.step(ctx, m, s, func(tx *sqldb.Tx, place placeRow) error {
			if place.Building != 0 {
				return errMoved
			}
			last, err := r.emptySome(ctx, tx, m, m.Tables[place.spare()-1], after)
			after, left = last, last != ""
			return err
		})
		if err != nil {
			return fmt.Errorf("empty: %w", err)
		}
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	if s.Phase == PhaseDropping {
		return r.step(ctx, m, s, func(tx *sqldb.Tx, _ placeRow) error {
			return r.turn(ctx, tx, s, PhaseDone, `total = done`)
		})
	}
	return r.build(ctx, m, s)
}

// emptySome deletes the next rows after a key and returns the last one, empty if none is left.
func (r *Rebuilder) emptySome(ctx context.Context, tx *sqldb.Tx, m Rebuildable, table, after string) (string, error) {
	named := strings.NewReplacer("{table}", table, "{key}", m.Key).Replace
	last, err := sqldb.Select[string](ctx, tx, named(`
		SELECT t.{key} FROM {table} t WHERE t.{key} > $1 ORDER BY t.{key} LIMIT 1 OFFSET $2`), after, r.cfg.Batch-1)
	if err != nil {
		return "", err
	}
	if len(last) == 0 {
		_, err := tx.Exec(ctx, named(`DELETE FROM {table} WHERE {key} > $1`), after)
		return "", err
	}
	_, err = tx.Exec(ctx, named(`DELETE FROM {table} WHERE {key} > $1 AND {key} <= $2`), after, last[0])
	return last[0], err
}

// rest leaves the database to others for as long as they had to share it.
func rest(ctx context.Context, worked time.Duration) error {
	timer := time.NewTimer(min(worked, maxRest))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
