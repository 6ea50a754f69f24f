package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Redrive moves a dead letter, the head of its queue, back to parked and due: it is tried again as if it had just
// come. The error is ErrNoLetter, ErrNotHead, ErrMoved or that of the database.
func (l *Letters) Redrive(ctx context.Context, seq int64, operator, reason string) error {
	return l.one(ctx, seq, l.ruling(ActionRedrive, operator, reason))
}

// Discard gives up a letter, dead or parked, that is the head of its queue. Its message is not handled any more;
// its bytes are kept until they are pruned. A call whose answer is discarded is made again if it is still due. Errors
// are those of Redrive.
func (l *Letters) Discard(ctx context.Context, seq int64, operator, reason string) error {
	return l.one(ctx, seq, l.ruling(ActionDiscard, operator, reason))
}

func (l *Letters) ruling(action Action, operator, reason string) Ruling {
	return Ruling{Action: action, Operator: operator, Reason: reason, At: l.now()}
}

func (l *Letters) one(ctx context.Context, seq int64, r Ruling) error {
	var letter Letter
	err := l.db.Tx(ctx, func(tx *sqldb.Tx) (err error) {
		if letter, err = letterOf(ctx, tx, seq); err != nil {
			return err
		}
		switch {
		case !r.Action.moves(letter.State):
			return fmt.Errorf("%w: it is %s", ErrMoved, letter.State)
		case !letter.Head:
			return ErrNotHead
		}
		return r.move(ctx, tx, []movedRow{{letter.Seq, letter.Scope, letter.ID, letter.State, letter.Attempts}})
	})
	if errors.Is(err, ErrConflict) {
		err = fmt.Errorf("%w: it has just changed", ErrMoved)
	}
	if err != nil {
		return fmt.Errorf("%s letter %d: %w", r.Action, seq, err)
	}
	l.ruled(ctx, r, 1)
	l.cfg.Logger.Info("letter ruled on", "action", r.Action, "letter", seq, "scope", letter.Scope, "id", letter.ID,
		"operator", r.Operator, "reason", r.Reason)
	return nil
}

// moves is true if the action can be done to letters in a state.
func (a Action) moves(from LetterState) bool {
	return from == LetterDead || from == LetterParked && a == ActionDiscard
}

// movedRow is a letter as it was when it was chosen.
type movedRow struct {
	Seq      int64       `db:"seq"`
	Scope    string      `db:"scope"`
	ID       string      `db:"id"`
	State    LetterState `db:"state"`
	Attempts int64       `db:"attempts"`
}

// move fails with ErrConflict if one of rows is not as it was, and then moves none.
func (r Ruling) move(ctx context.Context, tx *sqldb.Tx, rows []movedRow) error {
	if err := tx.With(rows).Lock(ctx, `SELECT 1 FROM inbox i JOIN rows ON rows.scope = i.scope AND rows.id = i.id
		ORDER BY i.scope, i.id`); err != nil {
		return err
	}
	// A discarded one is kept for as long as if it had been handled now.
	to, due := LetterParked, &r.At
	if r.Action == ActionDiscard {
		to, due = LetterDiscarded, nil
	}
	if err := Write(ctx, tx, rows, `
		UPDATE inbox SET state = $1, attempts = CASE WHEN $1 = 'parked' THEN 0 ELSE inbox.attempts END, handled_at = $2
		FROM rows WHERE inbox.scope = rows.scope AND inbox.id = rows.id
			AND inbox.state = rows.state AND inbox.attempts = rows.attempts`, string(to), r.At); err != nil {
		return err
	}
	if err := Write(ctx, tx, rows, `
		UPDATE letters SET retry_at = $1, first_failed = CASE WHEN $2 = 'parked' THEN NULL ELSE letters.first_failed END
		FROM rows WHERE letters.seq = rows.seq`, due, string(to)); err != nil {
		return err
	}
	if r.Action == ActionDiscard {
		queues, err := sqldb.Select[streamRow](ctx, tx.With(rows), `
			SELECT DISTINCT l.scope, l.key FROM letters l JOIN rows ON rows.seq = l.seq WHERE l.key IS NOT NULL`)
		if err != nil {
			return err
		}
		if err := promote(ctx, tx, queues, r.At); err != nil {
			return err
		}
	}
	log := make([]rulingRow, len(rows))
	for i, row := range rows {
		log[i] = rulingRow{row.Scope, row.ID, r.Action, r.Operator, r.Reason, r.At}
	}
	return Write(ctx, tx, log, `
		INSERT INTO rulings (scope, id, action, operator, reason, ruled_at)
		SELECT scope, id, action, operator, reason, ruled_at FROM rows WHERE true ORDER BY scope, id`)
}

type rulingRow struct {
	Scope    string    `db:"scope"`
	ID       string    `db:"id"`
	Action   Action    `db:"action"`
	Operator string    `db:"operator"`
	Reason   string    `db:"reason"`
	At       time.Time `db:"ruled_at"`
}

func (l *Letters) ruled(ctx context.Context, r Ruling, letters int) {
	l.rulings.Add(ctx, int64(letters), metric.WithAttributes(attribute.String("action", string(r.Action))))
}
