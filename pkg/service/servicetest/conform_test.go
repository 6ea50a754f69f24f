package servicetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

func TestAServiceThatKeepsEveryRuleConforms(t *testing.T) {
	Conform(t, srfake.New().Handler(), newToy(), toyStory())
}

// note writes a row that no rule knows of.
func note(ctx context.Context, tx *sqldb.Tx, text string) error {
	_, err := tx.Exec(ctx, `INSERT INTO notes (note) VALUES ($1)`, text)
	return err
}

// saving is the toy's Save with something done after it.
func saving(after func(context.Context, *sqldb.Tx, []work.Fact[grown]) error) func(*toy) {
	return func(d *toy) {
		d.Save = func(ctx context.Context, tx *sqldb.Tx, s sums, facts []work.Fact[grown]) error {
			return errors.Join(saveSums(ctx, tx, s, facts), after(ctx, tx, facts))
		}
	}
}

// countingBatches leaves a trace of how messages came in.
var countingBatches = saving(func(ctx context.Context, tx *sqldb.Tx, facts []work.Fact[grown]) error {
	return note(ctx, tx, fmt.Sprint(len(facts)))
})

// unlogged has events counted each time they come.
func unlogged(d *toy) { d.Unlogged = map[string]bool{"added.events": true} }

// hearing is the toy's Input with something in its place if the event is what it is about.
func hearing(fn func(event.Event, *added) (bool, error)) func(*toy) {
	return func(d *toy) {
		d.Input = func(e event.Event, at time.Time) (add, bool, error) {
			data, _ := e.Data.(*added)
			if wanted, err := fn(e, data); err != nil || wanted {
				return add{ID: e.Key, N: 1, At: at}, wanted, err
			}
			return inputAdd(e, at)
		}
	}
}

// deciding is the toy with another Decide.
func deciding(instead func(add, sums) ([]grown, error)) func(*toy) {
	return func(d *toy) {
		d.Input = func(e event.Event, at time.Time) (add, bool, error) {
			in, wanted, err := inputAdd(e, at)
			in.instead = instead
			return in, wanted, err
		}
	}
}

// saveAnyVersion writes over what another replica has written since Load.
func saveAnyVersion(ctx context.Context, tx *sqldb.Tx, s sums, _ []work.Fact[grown]) error {
	var rows []sum
	for _, id := range slices.Sorted(maps.Keys(s)) {
		rows = append(rows, *s[id])
	}
	return work.Write(ctx, tx, rows, `
		INSERT INTO sums (id, total, version) SELECT id, total, version FROM rows WHERE true ORDER BY id
		ON CONFLICT (id) DO UPDATE SET total = excluded.total, version = excluded.version`)
}

// overwriting has no inbox and does with nothing in its place but a Decide to which a copy is no news: a sum is the
// largest number that it heard of. That does for one replica; of two, each finds the same news.
func overwriting(d *toy) {
	unlogged(d)
	deciding(func(m add, s sums) ([]grown, error) {
		if m.N <= s[m.ID].Total {
			return nil, nil
		}
		s[m.ID].Total = 0
		return m.decide(s)
	})(d)
	d.Save = saveAnyVersion
}

// breach is a way to break a rule, and words of what the rule then says.
type breach struct {
	rule, how string
	by        func(*toy)
	story     func(*Story[add])
	want      string
	on        sqldb.Dialect
}

var breaches = []breach{
	{rule: "the story tells of every event type", how: "one consumed is not told", want: "does not tell of test.Summed",
		by: func(d *toy) { d.Consumes = append(d.Consumes, summedType) }},
	{rule: "the story tells of every event type", how: "one published does not come", want: "does not lead to test.Added",
		by: func(d *toy) { d.Publishes = append(d.Publishes, addedType) }},
	{rule: "in one batch it ends the same", by: countingBatches, want: "notes"},
	{rule: "in random batches it ends the same", by: countingBatches, want: "notes"},
	{rule: "with every message twice it ends the same", by: unlogged, want: "sums"},
	{rule: "told again it ends the same", by: unlogged, want: "sums"},
	{rule: "two replicas that race end the same", by: unlogged, want: "sums", on: sqldb.Postgres},
	{rule: "a refused message changes nothing", how: "Load writes", want: "notes", by: func(d *toy) {
		d.Load = func(ctx context.Context, tx *sqldb.Tx, inputs []add) (sums, error) {
			for _, in := range inputs {
				if err := note(ctx, tx, in.ID); err != nil {
					return nil, err
				}
			}
			return loadSums(ctx, tx, inputs)
		}
	}},
	{rule: "a panic spoils nothing else", how: "Load remembers", want: "sums", by: func(d *toy) {
		var last sums
		d.Load = func(ctx context.Context, tx *sqldb.Tx, inputs []add) (sums, error) {
			s, err := loadSums(ctx, tx, inputs)
			for id := range s {
				if known := last[id]; known != nil && known.Stored == s[id].Stored {
					s[id] = known
				}
			}
			last = s
			return s, err
		}
	}},
	{rule: "poison holds only its key back", how: "Input hears an event once", want: "sums",
		by: func(d *toy) {
			heard := make(map[string]bool)
			d.Input = func(e event.Event, at time.Time) (add, bool, error) {
				again := heard[e.ID]
				heard[e.ID] = true
				in, wanted, err := inputAdd(e, at)
				return in, wanted && !again, err
			}
		}},
	{rule: "what was loaded too early is decided again", how: "Save knows no version", want: "sums", by: func(d *toy) {
		d.Save = saveAnyVersion
	}},
	{rule: "what is published keeps the contract", how: "the sequence stands still", want: "ce_sequence 1 comes after 1",
		by: func(d *toy) {
			d.Publish = func(g grown) (event.Event, bool) {
				e, public := publishGrown(g)
				e.Sequence = 1
				return e, public
			}
		}},
	{rule: "what is published keeps the contract", how: "another key", want: `no field of its data is its key, "sum"`,
		by: func(d *toy) {
			d.Publish = func(g grown) (event.Event, bool) {
				e, public := publishGrown(g)
				e.Key, e.Sequence = "sum", g.At.Unix()
				return e, public
			}
		}},
	{rule: "what is published keeps the contract", how: "no time and no key", want: "bad event headers",
		by: func(d *toy) {
			d.Publish = func(g grown) (event.Event, bool) {
				return event.Event{Sequence: g.Version, Data: &summed{g.ID, g.Total}}, true
			}
		}},
	{rule: "what is published keeps the contract", how: "what another publishes", want: "it holds a test.Added",
		by: func(d *toy) {
			d.Publish = func(g grown) (event.Event, bool) {
				return event.Event{Key: g.ID, Sequence: g.Version, Time: g.At, Data: &added{g.ID, g.Total}}, true
			}
		}},
	{rule: "a failed decision changes no state", how: "it changes before it checks", want: "the state has changed",
		by: deciding(func(m add, s sums) ([]grown, error) {
			s[m.ID].Total += m.N
			if m.N < 1 {
				return nil, errOutOfRange
			}
			s[m.ID].Total -= m.N
			return m.decide(s)
		})},
	{rule: "a failed decision changes no state", how: "it panics", want: "decide panicked: runtime error",
		by: deciding(func(m add, s sums) ([]grown, error) {
			if m.N == 0 {
				s[m.ID].Total /= m.N
			}
			return m.decide(s)
		})},
	{rule: "a failed decision changes no state", how: "Input panics", want: "decide panicked: no n",
		by: hearing(func(_ event.Event, data *added) (bool, error) {
			if data.N == 0 {
				panic("no n")
			}
			return false, nil
		})},
	{rule: "events of no interest are no faults", how: "a type of tomorrow", want: "an unknown type on added.events",
		by: hearing(func(_ event.Event, data *added) (bool, error) {
			if data == nil {
				return false, errors.New("what is this?")
			}
			return false, nil
		})},
	{rule: "events of no interest are no faults", how: "a tombstone", want: "a tombstone on added.events",
		by: hearing(func(e event.Event, _ *added) (bool, error) {
			if e.Data == nil {
				return false, errors.New("what is this?")
			}
			return false, nil
		})},
	{rule: "bad keys are faults and no panics", how: "the key is not compared", want: `under the key "another" is no fault`,
		by: hearing(func(_ event.Event, data *added) (bool, error) { return data != nil, nil })},
	{rule: "bad keys are faults and no panics", how: "an empty key panics", want: "decide panicked",
		by: hearing(func(e event.Event, _ *added) (bool, error) { return e.Key[0] == 0, nil })},
	{rule: "migrations go there and back", how: "there is no way back", want: "no such table|already exists|they leave",
		by: func(d *toy) {
			d.Migrations = fstest.MapFS{"00001_sums.sql": {Data: []byte(toyUp + "-- +goose Down\nDROP TABLE notes;\n")}}
		}},
	{rule: "the API documents its problems", how: "no answer is documented", want: "the answer 422 is not documented",
		by: describedAs(func(op *huma.Operation) { op.Errors = nil })},
	{rule: "the API documents its problems", how: "it has no name", want: "no name or no summary",
		by: describedAs(func(op *huma.Operation) { op.Summary = "" })},
	{rule: "the API refuses what it does not know", how: "any field is taken", want: "an unknown field is not refused",
		by: func(d *toy) {
			type anyIn struct {
				ID   string `path:"id"`
				Body map[string]any
			}
			d.Routes = func(api huma.API, p *toyParts) {
				huma.Register(api, addition(), func(ctx context.Context, in *anyIn) (*sumOut, error) {
					return addBy(ctx, p, "", in.ID, 1)
				})
			}
		}},
	{rule: "a command with an Idempotency-Key is done once", how: "the key is not passed on", want: "the repetition",
		by: func(d *toy) {
			d.Routes = func(api huma.API, p *toyParts) {
				huma.Register(api, addition(), func(ctx context.Context, in *addIn) (*sumOut, error) {
					return addBy(ctx, p, "", in.ID, in.Body.N)
				})
			}
		}},
	{rule: "a command with an Idempotency-Key is done once", how: "the body is not", want: "another body",
		by: func(d *toy) {
			d.Routes = func(api huma.API, p *toyParts) {
				huma.Register(api, addition(), func(ctx context.Context, in *addIn) (*sumOut, error) {
					return addBy(ctx, p, in.Key, in.ID, 1)
				})
			}
		}},
	{rule: "a command with an Idempotency-Key is done once", how: "no example", want: "the story has no example",
		by: func(*toy) {}, story: func(s *Story[add]) { s.Posts = nil }},
}

func describedAs(change func(*huma.Operation)) func(*toy) {
	return func(d *toy) {
		d.Routes = func(api huma.API, p *toyParts) {
			op := addition()
			change(&op)
			huma.Register(api, op, func(ctx context.Context, in *addIn) (*sumOut, error) {
				return addBy(ctx, p, in.Key, in.ID, in.Body.N)
			})
		}
	}
}

func check(t *testing.T, name string, s *stage[add, sums, grown]) error {
	t.Helper()
	all := rules[add, sums, grown]()
	at := slices.IndexFunc(all, func(r rule[add, sums, grown]) bool { return r.name == name })
	if at < 0 {
		t.Fatalf("there is no rule %q", name)
	}
	return all[at].check(s, t.Context())
}

func TestEveryBreachIsFound(t *testing.T) {
	for _, b := range breaches {
		t.Run(b.rule+": "+b.how, func(t *testing.T) {
			def, story := newToy(), toyStory()
			b.by(&def)
			if b.story != nil {
				b.story(&story)
			}
			on := b.on
			if on == 0 {
				on = sqldb.SQLite
			}
			err := check(t, b.rule, newStage(t, on, srfake.New().Handler(), def, story))
			if err == nil || !slices.ContainsFunc(strings.Split(b.want, "|"), func(want string) bool {
				return strings.Contains(err.Error(), want)
			}) {
				t.Errorf("found %v, want %q", err, b.want)
			}
		})
	}
}

// Save writes over what the other replica has written since Load, and its event is published twice.
func TestOnlyARaceShowsThatSaveKnowsNoVersion(t *testing.T) {
	def := newToy()
	overwriting(&def)
	s := newStage(t, sqldb.Postgres, srfake.New().Handler(), def, toyStory())
	for _, name := range []string{
		"in one batch it ends the same", "in random batches it ends the same", "with every message twice it ends the same",
		"told again it ends the same",
	} {
		if err := check(t, name, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	// The rule has both begin to load at once. Here both have loaded, too, before either goes on to Save.
	var loaded atomic.Int64
	both := make(chan struct{})
	s.def.Load = func(ctx context.Context, tx *sqldb.Tx, inputs []add) (sums, error) {
		state, err := loadSums(ctx, tx, inputs)
		if loaded.Add(1) == 2 {
			close(both)
		}
		<-both
		return state, err
	}
	err := check(t, "two replicas that race end the same", s)
	if err == nil || !strings.Contains(err.Error(), "summed.events") {
		t.Errorf("a race does not show it either: %v", err)
	}
}

// A replica that never gets to Load, for its database is closed, does not keep the other waiting for ever.
func TestARaceEndsIfOneReplicaDoesNotComeToIt(t *testing.T) {
	s := newStage(t, sqldb.Postgres, srfake.New().Handler(), newToy(), toyStory())
	another := s.another
	s.another = func() *sqldb.DB {
		db := another()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		return db
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.replicasRace(ctx) }()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("both have raced")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("one waits for the other after the end of the context")
	}
}

// A row that is written beside the transaction stays when that fails.
func TestWhatIsWrittenBesideTheTransactionIsFound(t *testing.T) {
	def := newToy()
	s := newStage(t, sqldb.Postgres, srfake.New().Handler(), def, toyStory())
	beside := s.another()
	saving(func(ctx context.Context, _ *sqldb.Tx, facts []work.Fact[grown]) error {
		return beside.Tx(ctx, func(tx *sqldb.Tx) error { return note(ctx, tx, facts[0].ID) })
	})(&s.def)
	err := check(t, "a failed statement leaves nothing", s)
	if err == nil || !strings.Contains(err.Error(), "failed: it ends otherwise") {
		t.Errorf("found %v", err)
	}
}

func TestEveryRuleHasABreach(t *testing.T) {
	for _, r := range rules[add, sums, grown]() {
		beside := r.name == "a failed statement leaves nothing"
		if !beside && !slices.ContainsFunc(breaches, func(b breach) bool { return b.rule == r.name }) {
			t.Errorf("no breach of %q", r.name)
		}
	}
}
