package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const (
	// MaxSwept is the most letters that one call of RedriveAll or DiscardAll moves.
	MaxSwept = 500
	// sweepTries is how often a sweep chooses anew when the service moved what it had chosen.
	sweepTries = 5
	// maxLeft is where a sweep stops counting what is left.
	maxLeft = 100_001
)

// Sweep says how far one call of RedriveAll or DiscardAll has come.
type Sweep struct {
	// Moved is how many letters were moved, Left how many still fit the filter, counted up to 100,001.
	Moved, Left int64
	// Last is the highest letter that was moved. The next call goes on after it; with Moved below the limit there is
	// nothing left to be moved behind it.
	Last int64
}

// RedriveAll redrives dead letters of f that come after one and are the head of their queue, oldest first, at most
// limit, which is capped at MaxSwept. With a limit of 0 it moves none and counts.
func (l *Letters) RedriveAll(ctx context.Context, f LetterFilter, after int64, limit int, operator, reason string) (
	Sweep, error) {
	return l.sweep(ctx, f, after, limit, l.ruling(ActionRedrive, operator, reason))
}

// DiscardAll discards letters of f that come after one, oldest first, at most limit, as RedriveAll does. Of a queue it
// discards as many as fit the filter without a gap.
func (l *Letters) DiscardAll(ctx context.Context, f LetterFilter, after int64, limit int, operator, reason string) (
	Sweep, error) {
	return l.sweep(ctx, f, after, limit, l.ruling(ActionDiscard, operator, reason))
}

func (l *Letters) sweep(ctx context.Context, f LetterFilter, after int64, limit int, r Ruling) (s Sweep, err error) {
	for try := 1; ; try++ {
		err = l.db.Tx(ctx, func(tx *sqldb.Tx) error {
			s = Sweep{Last: after}
			rows, err := r.choose(ctx, tx, f, after, min(limit, MaxSwept))
			if err != nil {
				return err
			}
			if len(rows) > 0 {
				s.Moved, s.Last = int64(len(rows)), rows[len(rows)-1].Seq
				if err := r.move(ctx, tx, rows); err != nil {
					return err
				}
			}
			s.Left, err = r.left(ctx, tx, f)
			return err
		})
		again := errors.Is(err, ErrConflict) || sqldb.IsUnavailable(err)
		if !again || try == sweepTries || ctx.Err() != nil {
			break
		}
		pause(ctx, try, maxConflictPause)
	}
	if err != nil {
		return Sweep{}, fmt.Errorf("%s letters: %w", r.Action, err)
	}
	if s.Moved > 0 {
		l.ruled(ctx, r, int(s.Moved))
		l.cfg.Logger.Info("letters ruled on", "action", r.Action, "letters", s.Moved, "left", s.Left,
			"operator", r.Operator, "reason", r.Reason)
	}
	return s, nil
}

// choose returns the letters that fit and can be moved: the head of each queue; or, if they are discarded, all that
// have nothing ahead of them which does not fit.
func (r Ruling) choose(ctx context.Context, tx *sqldb.Tx, f LetterFilter, after int64, limit int) ([]movedRow, error) {
	if limit <= 0 {
		return nil, nil
	}
	movable := `place = 1 AND state = 'dead'`
	if r.Action == ActionDiscard {
		movable = `place = fitting`
	}
	return sqldb.Select[movedRow](ctx, tx, `
		SELECT seq, scope, id, state, attempts FROM (
			SELECT seq, scope, id, state, attempts, fits,
				row_number() OVER queue AS place, sum(fits) OVER queue AS fitting
			FROM (
				SELECT l.seq, i.scope, i.id, i.state, i.attempts, coalesce(l.key, '') AS key,
					CASE WHEN l.key IS NULL THEN l.seq ELSE 0 END AS alone,
					CASE WHEN `+matches+` AND l.seq > $7 THEN 1 ELSE 0 END AS fits
				FROM inbox i JOIN letters l ON l.scope = i.scope AND l.id = i.id
				WHERE i.state IN ('parked', 'dead')) AS opened
			WINDOW queue AS (PARTITION BY scope, key, alone ORDER BY seq)) AS queued
		WHERE fits = 1 AND `+movable+` ORDER BY seq LIMIT $8`, append(f.parameters(), after, limit)...)
}

// left counts the letters that fit, movable now or not.
func (r Ruling) left(ctx context.Context, tx *sqldb.Tx, f LetterFilter) (int64, error) {
	return sqldb.Get[int64](ctx, tx, `
		SELECT count(*) FROM (
			SELECT 1 FROM inbox i JOIN letters l ON l.scope = i.scope AND l.id = i.id
			WHERE i.state IN ('parked', 'dead') AND (i.state = 'dead' OR $7 = 'discard') AND `+matches+`
			LIMIT $8) AS left_over`,
		append(f.parameters(), string(r.Action), maxLeft)...)
}
