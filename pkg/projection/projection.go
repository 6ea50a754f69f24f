// Package projection keeps read models, tables that hold nothing which cannot be made again from what they were made
// of, and makes them again while they are read and written.
//
// A read model has two tables of the same form, of which one is served. A rebuild fills the other:
//
//  1. It empties the table that is not served.
//  2. It says, in a transaction that waits for every writer, that this table is being built. From then on each
//     transaction of a writer writes both tables. See [Share].
//  3. It makes the rows anew from the source, a batch at a time, and writes each unless a newer one stands there.
//  4. It says, in one transaction that waits for every writer again, that the built table is the one served. Readers
//     look at it from then on.
//  5. It empties the other table.
//
// Nothing comes of a rebuild but rows. A projector is a function from what the source holds to rows: there is nothing
// in its reach that could publish an event, make a call or set a timer, and this package knows neither the outbox nor
// the unit of work.
//
// The tables of this package are the service's own, made by its migrations. A row of projections has to be there for
// each model:
//
//	CREATE TABLE projections (
//		model    TEXT COLLATE "C" PRIMARY KEY,
//		active   BIGINT NOT NULL, -- the table that is served: 1 or 2
//		building BIGINT NOT NULL  -- the table that is being built, 0 if none is
//	);
//	CREATE TABLE rebuilds (
//		model      TEXT COLLATE "C" PRIMARY KEY,
//		run        TEXT        NOT NULL,
//		phase      TEXT        NOT NULL,
//		position   TEXT        NOT NULL,
//		done       BIGINT      NOT NULL,
//		total      BIGINT      NOT NULL,
//		operator   TEXT        NOT NULL,
//		error      TEXT        NOT NULL,
//		started_at TIMESTAMPTZ NOT NULL,
//		updated_at TIMESTAMPTZ NOT NULL
//	);
package projection

import (
	"context"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Model is a read model.
type Model struct {
	// Name is under which it is known to the tables of this package and to operators.
	Name string
	// Tables are of the same form. The first is served until the model is rebuilt, the second after that, and so on.
	Tables [2]string
	// Key is the column that names a row: text, and the tables' primary key.
	Key string
}

// Tables are those of one model, at one moment.
type Tables struct {
	// Active is read and written.
	Active string
	// Building is written too, by rows of which the newer wins; empty if there is none.
	Building string
}

// Written are the tables that a writer writes.
func (t Tables) Written() []string {
	if t.Building == "" {
		return []string{t.Active}
	}
	return []string{t.Active, t.Building}
}

// Find returns the tables of models as they are in tx. It is for readers, who read all in one [sqldb.DB.Read].
func Find(ctx context.Context, tx *sqldb.Tx, models ...Model) ([]Tables, error) {
	rows, err := sqldb.Select[placeRow](ctx, tx, `SELECT model, active, building FROM projections`)
	if err != nil {
		return nil, fmt.Errorf("find the tables of read models: %w", err)
	}
	tables := make([]Tables, len(models))
	for i, m := range models {
		tables[i] = Tables{Active: m.Tables[0]}
		for _, row := range rows {
			if row.Model == m.Name {
				tables[i] = row.tables(m)
			}
		}
	}
	return tables, nil
}

// Share is [Find] for writers: what it returns holds until the transaction ends. It comes before any other lock of the
// transaction.
func Share(ctx context.Context, tx *sqldb.Tx, models ...Model) ([]Tables, error) {
	if err := tx.LockShared(ctx, `SELECT model FROM projections ORDER BY model`); err != nil {
		return nil, fmt.Errorf("share the tables of read models: %w", err)
	}
	return Find(ctx, tx, models...)
}

type placeRow struct {
	Model    string `db:"model"`
	Active   int64  `db:"active"`
	Building int64  `db:"building"`
}

func (r placeRow) tables(m Model) Tables {
	t := Tables{Active: m.Tables[r.Active-1]}
	if r.Building != 0 {
		t.Building = m.Tables[r.Building-1]
	}
	return t
}

// spare is the number of the table that is not served.
func (r placeRow) spare() int64 { return 3 - r.Active }
