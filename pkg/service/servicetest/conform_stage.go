package servicetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// stage is one database on which the story of a service is played, again and again.
type stage[I work.Input[S, E], S, E any] struct {
	def     service.Definition[I, S, E]
	posts   []Post
	codec   *serde.Codec
	decoder *kafka.Decoder[I]
	steps   []step[I]

	db *sqldb.DB
	// another opens the database once more, as a replica does; empty makes another one.
	another, empty func() *sqldb.DB
	// strikeAt counts the statements down; the one at which it gets to 0 fails.
	strikeAt atomic.Int64
	// plain is the end of the story, each message in a transaction of its own.
	plain snapshot
}

// errStruck is what a statement fails with at the word of a rule.
var errStruck = errors.New("struck by the test")

func newStage[I work.Input[S, E], S, E any](tb testing.TB, database sqldb.Dialect, registry http.Handler,
	def service.Definition[I, S, E], story Story[I]) *stage[I, S, E] {
	tb.Helper()
	s := &stage[I, S, E]{def: def, posts: story.Posts}
	s.codec = Codec(tb, registry, append(append([]serde.Type{}, def.Publishes...), def.Consumes...))
	s.decoder = &kafka.Decoder[I]{Codec: s.codec, Input: def.Input, Unlogged: def.Unlogged}
	url := sqltest.PostgresURL
	if database == sqldb.SQLite {
		url = sqltest.SQLiteURL
	}
	own := url(tb)
	s.db = sqltest.Open(tb, own, sqldb.WithFault(s.strike))
	s.another = func() *sqldb.DB { return sqltest.Open(tb, own) }
	s.empty = func() *sqldb.DB { return sqltest.Open(tb, url(tb)) }
	if err := migrate(tb.Context(), s.db, def.Migrations); err != nil {
		tb.Fatal(err)
	}

	teller := &Teller[I]{tb: tb, codec: s.codec, decoder: s.decoder, sequence: make(map[string]int64)}
	story.Tell(teller)
	s.steps = teller.steps
	plain, refused, err := s.play(tb.Context(), s.backend(), s.portions(one))
	for id, refusal := range refused {
		err = errors.Join(err, fmt.Errorf("the service refuses %s: %w", s.nameOf(id), refusal))
	}
	if err != nil {
		tb.Fatalf("the story, one by one: %v", err)
	}
	s.plain = plain
	return s
}

func migrate(ctx context.Context, db *sqldb.DB, own fs.FS) error {
	return errors.Join(sqldb.Migrate(ctx, db, work.Migrations(), "work"),
		sqldb.Migrate(ctx, db, outbox.Migrations(), "outbox"), sqldb.Migrate(ctx, db, own, "service"))
}

func (s *stage[I, S, E]) strike(context.Context, string) error {
	if s.strikeAt.Add(-1) == 0 {
		return errStruck
	}
	return nil
}

// heard is a message's input, and what a rule puts in the place of its Decide.
type heard[I work.Input[S, E], S, E any] struct {
	in     I
	decide func(in I, state S) ([]E, error)
}

// Decide is that of the input unless a rule says otherwise.
func (h heard[I, S, E]) Decide(state S) ([]E, error) {
	if h.decide != nil {
		return h.decide(h.in, state)
	}
	return h.in.Decide(state)
}

type message[I work.Input[S, E], S, E any] = work.Message[heard[I, S, E]]

type backend[I work.Input[S, E], S, E any] = work.Service[heard[I, S, E], S, E]

func (s *stage[I, S, E]) backend() backend[I, S, E] {
	return backend[I, S, E]{
		Name: s.def.Name, Save: s.def.Save, Publish: s.def.Publish, Encode: Encoder(s.codec),
		Load: func(ctx context.Context, tx *sqldb.Tx, all []heard[I, S, E]) (S, error) {
			inputs := make([]I, len(all))
			for i, h := range all {
				inputs[i] = h.in
			}
			return s.def.Load(ctx, tx, inputs)
		},
	}
}

func (s *stage[I, S, E]) message(i int) message[I, S, E] {
	return hear[I, S, E](s.steps[i].message)
}

// portion is what is handed in at once, or what is done in between.
type portion[I work.Input[S, E], S, E any] struct {
	messages []message[I, S, E]
	aside    func(context.Context, *sqldb.DB) error
}

func one() int   { return 1 }
func whole() int { return 500 }

// portions of the story, each of the size that size returns, fewer where something is done in between.
func (s *stage[I, S, E]) portions(size func() int) []portion[I, S, E] {
	var all []portion[I, S, E]
	var open portion[I, S, E]
	left := size()
	flush := func() {
		if len(open.messages) > 0 {
			all = append(all, open)
		}
		open, left = portion[I, S, E]{}, size()
	}
	for i, st := range s.steps {
		if st.aside != nil {
			flush()
			all = append(all, portion[I, S, E]{aside: st.aside})
			continue
		}
		open.messages = append(open.messages, s.message(i))
		if left--; left == 0 {
			flush()
		}
	}
	flush()
	return all
}

// play clears the database, hands in portions and returns where that ends and what was refused, by message id.
func (s *stage[I, S, E]) play(ctx context.Context, svc backend[I, S, E], portions []portion[I, S, E]) (
	snapshot, map[string]error, error) {
	if err := clearAll(ctx, s.db); err != nil {
		return snapshot{}, nil, err
	}
	refused, err := s.hand(ctx, s.db, svc, portions)
	if err != nil {
		return snapshot{}, nil, err
	}
	end, err := s.look(ctx)
	return end, refused, err
}

// hand runs a unit of work, hands in portions and returns what it refused, by message id.
func (s *stage[I, S, E]) hand(ctx context.Context, db *sqldb.DB, svc backend[I, S, E],
	portions []portion[I, S, E]) (map[string]error, error) {
	refused := make(map[string]error)
	err := s.running(ctx, db, svc, func(u *work.Unit[heard[I, S, E], S, E]) error {
		for _, p := range portions {
			if p.aside != nil {
				if err := p.aside(ctx, db); err != nil {
					return err
				}
				continue
			}
			refusals, err := u.Take(ctx, p.messages)
			for _, r := range refusals {
				refused[p.messages[r.Index].ID] = r.Err
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return refused, err
}

// running calls fn with a unit of work that runs until it returns.
func (s *stage[I, S, E]) running(ctx context.Context, db *sqldb.DB, svc backend[I, S, E],
	fn func(*work.Unit[heard[I, S, E], S, E]) error) error {
	u := work.New(svc, db, work.Config{
		Clock: func() time.Time { return storyTime }, Logger: slog.New(slog.DiscardHandler),
	})
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	err := fn(u)
	stop()
	return errors.Join(err, <-ended)
}

// ends plays portions and returns an error unless they end as the story, told one by one, does.
func (s *stage[I, S, E]) ends(ctx context.Context, svc backend[I, S, E], portions []portion[I, S, E]) error {
	end, refused, err := s.play(ctx, svc, portions)
	for id, refusal := range refused {
		err = errors.Join(err, fmt.Errorf("refused: %s: %w", s.nameOf(id), refusal))
	}
	if err != nil {
		return err
	}
	return s.plain.compare(end)
}

// nameOf a message says what it is in words.
func (s *stage[I, S, E]) nameOf(id string) string {
	for i, st := range s.steps {
		if st.aside == nil && st.message.ID == id {
			return fmt.Sprintf("step %d, %T of %s", i, st.message.Input, st.message.Key)
		}
	}
	return "message " + id
}
