package servicetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// unit starts the unit of work and returns its Take.
func unit[I work.Input[S, E], S, E any](b *testing.B, db *sqldb.DB, svc work.Service[I, S, E],
) func([]work.Message[I]) error {
	u := work.New(svc, db, work.Config{Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := u.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(func() { stop(); running.Wait() })
	return func(messages []work.Message[I]) error {
		refusals, err := u.Take(ctx, messages)
		if err == nil && len(refusals) > 0 {
			err = fmt.Errorf("%d of %d messages refused: %w", len(refusals), len(messages), refusals[0].Err)
		}
		return err
	}
}

type inboxKey struct {
	Scope string `db:"scope"`
	ID    string `db:"id"`
}

type inboxRow struct {
	Scope    string    `db:"scope"`
	ID       string    `db:"id"`
	State    string    `db:"state"`
	Digest   []byte    `db:"digest"`
	Status   int64     `db:"status"`
	Resource string    `db:"resource"`
	Attempts int64     `db:"attempts"`
	Handled  time.Time `db:"handled_at"`
}

// plain is what the unit is measured against: the same statements, as many of them, in one transaction a batch, by
// hand. It knows no duplicates, refusals, conflicts or panics: any of them ends it.
func plain[I work.Input[S, E], S, E any](db *sqldb.DB, svc work.Service[I, S, E]) func([]work.Message[I]) error {
	ctx := context.Background()
	return func(messages []work.Message[I]) error {
		now := event.Now(time.Now)
		keys, rows := make([]inboxKey, len(messages)), make([]inboxRow, len(messages))
		inputs := make([]I, len(messages))
		for i, m := range messages {
			keys[i] = inboxKey{m.Scope, m.ID}
			rows[i] = inboxRow{
				Scope: m.Scope, ID: m.ID, State: "done", Digest: m.Digest[:], Resource: m.Key, Handled: now,
			}
			inputs[i] = m.Input
		}
		return db.Tx(ctx, func(tx *sqldb.Tx) error {
			handled, err := sqldb.Select[inboxRow](ctx, tx.With(keys), `
				SELECT i.scope, i.id, i.state, i.digest, i.status, i.resource, i.attempts, i.handled_at
				FROM inbox i JOIN rows ON rows.scope = i.scope AND rows.id = i.id`)
			if err != nil {
				return err
			}
			if len(handled) > 0 {
				return fmt.Errorf("%d messages were handled before", len(handled))
			}
			letters, err := sqldb.Select[int64](ctx, tx, `SELECT seq FROM letters LIMIT 1`)
			if err != nil {
				return err
			}
			if len(letters) > 0 {
				return errors.New("a message was set aside")
			}
			state, err := svc.Load(ctx, tx, inputs)
			if err != nil {
				return err
			}
			facts, records, err := decideAll(svc, state, messages)
			if err != nil {
				return err
			}
			if err := svc.Save(ctx, tx, state, facts); err != nil {
				return err
			}
			if _, err := tx.With(rows).Exec(ctx, `
				INSERT INTO inbox (scope, id, state, digest, status, resource, attempts, handled_at)
				SELECT scope, id, state, digest, status, resource, attempts, handled_at
				FROM rows WHERE true ORDER BY scope, id`); err != nil {
				return err
			}
			if len(records) == 0 {
				return nil
			}
			return outbox.Insert(ctx, tx, records, now)
		})
	}
}

func decideAll[I work.Input[S, E], S, E any](svc work.Service[I, S, E], state S, messages []work.Message[I]) (
	[]work.Fact[E], []outbox.Record, error) {
	var facts []work.Fact[E]
	var records []outbox.Record
	for _, m := range messages {
		happened, err := m.Input.Decide(state)
		if err != nil {
			return nil, nil, err
		}
		for n, e := range happened {
			id := event.Derive(svc.Name, m.Cause.ID, n)
			facts = append(facts, work.Fact[E]{ID: id, Cause: m.Cause, Event: e})
			published, public := svc.Publish(e)
			if !public {
				continue
			}
			published.ID, published.Cause, published.Source = id, m.Cause, "/quadrille/"+svc.Name
			value, err := svc.Encode(&published)
			if err != nil {
				return nil, nil, err
			}
			records = append(records, outbox.Record{
				Topic: published.Topic, Key: published.Key, Headers: event.Headers(published), Value: value,
			})
		}
	}
	return facts, records, nil
}
