package projection

import (
	"context"
	"errors"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// ErrAway is what a source wraps when what it reads from is away: the rebuild goes on when it is back.
var ErrAway = errors.New("the source of a read model is away")

// Source is what a read model is made of.
type Source[F any] interface {
	// Total is about how many facts there are, to show how far a rebuild has come.
	Total(ctx context.Context, db *sqldb.DB) (int64, error)
	// Open begins to read after a position, empty for the start. What comes into being later than Open may be left
	// out: writers bring it.
	Open(ctx context.Context, db *sqldb.DB, position string) (Cursor[F], error)
}

// Cursor reads a Source.
type Cursor[F any] interface {
	// Next returns the next facts, about limit of them, and the position after the last. Without facts it has
	// reached the end.
	Next(ctx context.Context, limit int) (facts []F, position string, err error)
	Close()
}

// Projector makes rows of facts, a row for each key at most, sorted by it. It has nothing but the facts to go by, and
// nothing but rows to bring about.
type Projector[F, R any] func(facts []F) ([]R, error)

// Upsert is the statement that writes the relation rows into a table of which into holds the name, unless a newer row
// stands there.
type Upsert func(into string) string

// Rebuildable is a read model, and how it is made anew.
type Rebuildable struct {
	Model
	total func(ctx context.Context, db *sqldb.DB) (int64, error)
	open  func(ctx context.Context, db *sqldb.DB, position string) (steps, error)
}

// Of says that the rows of a model are what project makes of the facts of its source, written by upsert.
func Of[F, R any](m Model, source Source[F], project Projector[F, R], upsert Upsert) Rebuildable {
	return Rebuildable{
		Model: m,
		total: source.Total,
		open: func(ctx context.Context, db *sqldb.DB, position string) (steps, error) {
			cursor, err := source.Open(ctx, db, position)
			if err != nil {
				return steps{}, err
			}
			next := func(ctx context.Context, limit int) (*step, error) {
				facts, position, err := cursor.Next(ctx, limit)
				if err != nil || len(facts) == 0 {
					return nil, err
				}
				rows, err := project(facts)
				if err != nil {
					return nil, fmt.Errorf("project: %w", err)
				}
				return &step{facts: len(facts), position: position, write: func(ctx context.Context, tx *sqldb.Tx,
					into string) error {
					if len(rows) == 0 {
						return nil
					}
					_, err := tx.With(rows).Exec(ctx, upsert(into))
					return err
				}}, nil
			}
			return steps{next: next, close: cursor.Close}, nil
		},
	}
}

// steps are the batches of one reading of a source. Next returns nil at the end.
type steps struct {
	next  func(ctx context.Context, limit int) (*step, error)
	close func()
}

// step is a batch of rows.
type step struct {
	facts    int
	position string
	write    func(ctx context.Context, tx *sqldb.Tx, into string) error
}
