package projection

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

var (
	// ErrUnknown says that there is no such read model.
	ErrUnknown = errors.New("no such read model")
	// ErrNever says that the model was never rebuilt.
	ErrNever = errors.New("never rebuilt")
	// ErrRunning refuses a rebuild because one of the same model runs.
	ErrRunning = errors.New("a rebuild of this model runs")
)

// Phase is how far a rebuild has come.
type Phase string

// The phases, in order. A rebuild that cannot go on has failed; the model is served as before.
const (
	PhaseClearing Phase = "clearing"
	PhaseFilling  Phase = "filling"
	PhaseDropping Phase = "dropping"
	PhaseDone     Phase = "done"
	PhaseFailed   Phase = "failed"
)

// Ended reports whether nothing is left to do.
func (p Phase) Ended() bool { return p == PhaseDone || p == PhaseFailed }

// Status of the last rebuild of a model.
type Status struct {
	Model string `db:"model"`
	// Run is the id of the rebuild.
	Run   string `db:"run"`
	Phase Phase  `db:"phase"`
	// Position is where the source is read on.
	Position string `db:"position"`
	// Done and Total are facts of the source; Total is an estimate, 0 before the filling begins.
	Done  int64 `db:"done"`
	Total int64 `db:"total"`
	// Operator asked for it.
	Operator string `db:"operator"`
	// Error says why it failed, empty if it has not.
	Error     string    `db:"error"`
	StartedAt time.Time `db:"started_at"`
	// UpdatedAt is when the last step was made: the end, if it has ended.
	UpdatedAt time.Time `db:"updated_at"`
}

const statusColumns = `model, run, phase, position, done, total, operator, error, started_at, updated_at`

// Status of a model's last rebuild, ErrUnknown or ErrNever.
func (r *Rebuilder) Status(ctx context.Context, model string) (s Status, err error) {
	if _, ok := r.models[model]; !ok {
		return s, ErrUnknown
	}
	err = r.db.Read(ctx, func(tx *sqldb.Tx) error {
		s, err = status(ctx, tx, model)
		return err
	})
	if err != nil && !errors.Is(err, ErrNever) {
		return s, fmt.Errorf("look at the rebuild of %s: %w", model, err)
	}
	return s, err
}

func status(ctx context.Context, tx *sqldb.Tx, model string) (Status, error) {
	s, err := sqldb.Get[Status](ctx, tx, `SELECT `+statusColumns+` FROM rebuilds WHERE model = $1`, model)
	if errors.Is(err, sql.ErrNoRows) {
		return s, ErrNever
	}
	return s, err
}
