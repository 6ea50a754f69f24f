package projection

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// errMoved says that the rebuild is not where this process believed it: another has gone on with it. It is looked at
// again.
var errMoved = errors.New("another process has gone on with the rebuild")

// step does a part of a phase in a transaction. Until it ends the phase stays.
func (r *Rebuilder) step(ctx context.Context, m Rebuildable, s Status, fn func(*sqldb.Tx, placeRow) error) error {
	return r.db.Tx(ctx, func(tx *sqldb.Tx) error {
		err := tx.LockShared(ctx, `SELECT model FROM projections WHERE model = $1 ORDER BY model`, m.Name)
		if err != nil {
			return err
		}
		place, err := stands(ctx, tx, m, s)
		if err != nil {
			return err
		}
		return fn(tx, place)
	})
}

// exclusively is step that waits for every writer and ends the phase.
func (r *Rebuilder) exclusively(ctx context.Context, m Rebuildable, s Status,
	fn func(*sqldb.Tx, placeRow) error) error {
	ctx, cancel := context.WithTimeout(ctx, switchWithin)
	defer cancel()
	return r.db.Tx(ctx, func(tx *sqldb.Tx) error {
		if err := tx.LockTable(ctx, "projections"); err != nil {
			return err
		}
		place, err := stands(ctx, tx, m, s)
		if err != nil {
			return err
		}
		return fn(tx, place)
	})
}

// stands returns where the model stands, if the rebuild is still in its phase.
func stands(ctx context.Context, tx *sqldb.Tx, m Rebuildable, s Status) (placeRow, error) {
	now, err := status(ctx, tx, m.Name)
	if err != nil {
		return placeRow{}, err
	}
	if now.Run != s.Run || now.Phase != s.Phase {
		return placeRow{}, errMoved
	}
	rows, err := sqldb.Select[placeRow](ctx, tx, `SELECT model, active, building FROM projections WHERE model = $1`,
		m.Name)
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("the table projections has no row for %s, without which no writer would notice", m.Name)
	}
	if err != nil {
		return placeRow{}, err
	}
	return rows[0], nil
}

// build has every writer that comes write the other table too.
func (r *Rebuilder) build(ctx context.Context, m Rebuildable, s Status) error {
	total, err := m.total(ctx, r.db)
	if err != nil {
		return err
	}
	return r.exclusively(ctx, m, s, func(tx *sqldb.Tx, place placeRow) error {
		if err := r.place(ctx, tx, m, place.Active, place.spare()); err != nil {
			return err
		}
		return r.turn(ctx, tx, s, PhaseFilling, `total = $6`, total)
	})
}

// serve has every reader look at the table that was built, and every writer write it alone.
func (r *Rebuilder) serve(ctx context.Context, m Rebuildable, s Status) error {
	return r.exclusively(ctx, m, s, func(tx *sqldb.Tx, place placeRow) error {
		if place.Building == 0 {
			return errMoved
		}
		if err := r.place(ctx, tx, m, place.Building, 0); err != nil {
			return err
		}
		return r.turn(ctx, tx, s, PhaseDropping, `total = done`)
	})
}

// fail ends a rebuild that cannot go on. What it has built is left to the next one, which empties it.
func (r *Rebuilder) fail(ctx context.Context, m Rebuildable, s Status, why error) error {
	text := why.Error()
	text = strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), maxError)], ""), "\x00", "")
	return r.exclusively(ctx, m, s, func(tx *sqldb.Tx, place placeRow) error {
		if err := r.place(ctx, tx, m, place.Active, 0); err != nil {
			return err
		}
		return r.turn(ctx, tx, s, PhaseFailed, `error = $6`, text)
	})
}

func (r *Rebuilder) place(ctx context.Context, tx *sqldb.Tx, m Rebuildable, active, building int64) error {
	_, err := tx.Exec(ctx, `UPDATE projections SET active = $2, building = $3 WHERE model = $1`,
		m.Name, active, building)
	return err
}

// turn writes the phase that follows, which may be the same, unless the rebuild has moved on. Set is one assignment
// more, whose parameters begin at $6.
func (r *Rebuilder) turn(ctx context.Context, tx *sqldb.Tx, s Status, to Phase, set string, args ...any) error {
	turned, err := tx.Exec(ctx, `
		UPDATE rebuilds SET phase = $4, updated_at = $5, `+set+` WHERE model = $1 AND run = $2 AND phase = $3`,
		append([]any{s.Model, s.Run, string(s.Phase), string(to), event.Now(r.cfg.Clock)}, args...)...)
	if err == nil && turned == 0 {
		err = errMoved
	}
	return err
}
