package work

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// behindShown is how many of those that wait behind a letter are shown with it.
const behindShown = 20

// endOfTime is later than any time that a database holds.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// LettersConfig of Letters.
type LettersConfig struct {
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time
	// Logger gets each ruling. Defaults to slog.Default().
	Logger *slog.Logger
	// Meter counts rulings and measures what is open. Defaults to none.
	Meter metric.Meter
}

// Letters is what an operator sees of the messages that could not be handled, and what can be done to them. It is safe
// for concurrent use, beside any number of Units.
type Letters struct {
	db      *sqldb.DB
	cfg     LettersConfig
	rulings metric.Int64Counter
}

// NewLetters returns the Letters of a service's database.
func NewLetters(db *sqldb.DB, cfg LettersConfig) (*Letters, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Meter == nil {
		cfg.Meter = noop.Meter{}
	}
	l := &Letters{db: db, cfg: cfg}
	var err error
	l.rulings, err = cfg.Meter.Int64Counter("quadrille.letters.rulings",
		metric.WithDescription("Letters that operators have redriven or discarded."))
	if err != nil {
		return nil, fmt.Errorf("metric quadrille.letters.rulings: %w", err)
	}
	return l, nil
}

// List returns the letters of f that come after one, oldest first, at most limit.
func (l *Letters) List(ctx context.Context, f LetterFilter, after int64, limit int) (found []Letter, err error) {
	err = l.db.Read(ctx, func(tx *sqldb.Tx) error {
		found, err = sqldb.Select[Letter](ctx, tx, selectLetters+`
			WHERE `+matches+` AND l.seq > $7 ORDER BY l.seq LIMIT $8`, append(f.parameters(), after, limit)...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list letters: %w", err)
	}
	return found, nil
}

// Open returns one letter with all that is known of it. Without it the error is ErrNoLetter.
func (l *Letters) Open(ctx context.Context, seq int64) (*OpenedLetter, error) {
	var opened OpenedLetter
	err := l.db.Read(ctx, func(tx *sqldb.Tx) (err error) {
		if opened.Letter, err = letterOf(ctx, tx, seq); err != nil {
			return err
		}
		row, err := sqldb.Get[recordRow](ctx, tx, `
			SELECT key AS queue, partition_id, record_offset, record_key, record_value, headers
			FROM letters WHERE seq = $1`, seq)
		if err != nil {
			return err
		}
		if opened.Record, err = row.record(opened.Scope); err != nil {
			return err
		}
		opened.Rulings, err = sqldb.Select[Ruling](ctx, tx, `
			SELECT action, operator, reason, ruled_at FROM rulings WHERE scope = $1 AND id = $2 ORDER BY seq`,
			opened.Scope, opened.ID)
		if err != nil || opened.State == LetterDiscarded || row.Queue == nil {
			return err
		}
		const behind = `WHERE l.scope = $1 AND l.key = $2 AND i.state IN ('parked', 'dead') AND l.seq > $3`
		opened.Waiting, err = sqldb.Get[int64](ctx, tx, `
			SELECT count(*) FROM inbox i JOIN letters l ON l.scope = i.scope AND l.id = i.id `+behind,
			opened.Scope, *row.Queue, seq)
		if err != nil {
			return err
		}
		opened.Behind, err = sqldb.Select[Letter](ctx, tx, selectLetters+behind+` ORDER BY l.seq LIMIT $4`,
			opened.Scope, *row.Queue, seq, behindShown)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open letter %d: %w", seq, err)
	}
	return &opened, nil
}

// selectLetters reads letters with their state, and whether they are the head of their queue.
const selectLetters = `
	SELECT l.seq, l.scope, l.id, i.resource, l.type, i.state, i.attempts, l.class, l.error, l.arrived_at,
		l.first_failed, l.last_failed, l.retry_at,
		i.state IN ('parked', 'dead') AND (l.key IS NULL OR NOT EXISTS (
			SELECT 1 FROM letters a JOIN inbox ahead ON ahead.scope = a.scope AND ahead.id = a.id
			WHERE a.scope = l.scope AND a.key = l.key AND a.seq < l.seq AND ahead.state IN ('parked', 'dead'))) AS head
	FROM letters l JOIN inbox i ON i.scope = l.scope AND i.id = l.id `

// matches is a filter over l and i, with its parameters $1 … $6. The last part of a type follows a dot.
const matches = `($1 = i.state OR $1 = '' AND i.state IN ('parked', 'dead'))
	AND ($2 = '' OR i.scope = $2) AND ($3 = '' OR i.resource = $3)
	AND ($4 = '' OR l.type = $4 OR substr(l.type, length(l.type) - length($4)) = '.' || $4)
	AND ($5 = '' OR l.class = $5) AND coalesce(l.first_failed, l.arrived_at) < $6`

func (f LetterFilter) parameters() []any {
	if f.Before.IsZero() {
		f.Before = endOfTime
	}
	return []any{string(f.State), f.Scope, f.Key, f.Type, string(f.Class), f.Before}
}

func letterOf(ctx context.Context, tx *sqldb.Tx, seq int64) (Letter, error) {
	letter, err := sqldb.Get[Letter](ctx, tx, selectLetters+`WHERE l.seq = $1`, seq)
	if errors.Is(err, sql.ErrNoRows) {
		return letter, ErrNoLetter
	}
	return letter, err
}

func (l *Letters) now() time.Time { return event.Now(l.cfg.Clock) }
