package work_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

const day = 24 * time.Hour

// aged is a row of the inbox that was handled some time ago.
func aged(t *testing.T, db *sqldb.DB, scope, id string, state string, status int, age time.Duration) {
	t.Helper()
	exec(t, db, `INSERT INTO inbox (scope, id, state, digest, status, resource, handled_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		scope, id, state, []byte{1}, status, id, noon.Add(-age))
	if state != "done" {
		exec(t, db, `UPDATE inbox SET attempts = 1 WHERE id = $1 AND id NOT LIKE '%redriven'`, id)
		exec(t, db, `INSERT INTO letters (scope, id, type, class, error, arrived_at) VALUES ($1, $2, '', 'refused', '', $3)`,
			scope, id, noon.Add(-age))
	}
	exec(t, db, `INSERT INTO rulings (scope, id, action, operator, reason, ruled_at) VALUES ($1, $2, 'redrive', 'ada', '', $3)`,
		scope, id, noon.Add(-age))
}

// pruning runs a Pruner until stop is called or the test ends.
func pruning(t *testing.T, db *sqldb.DB, cfg work.PrunerConfig) (stop func()) {
	t.Helper()
	cfg.Clock, cfg.Every = func() time.Time { return noon }, time.Millisecond
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	p, err := work.NewPruner(db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("prune: %v", err)
		}
	}
	return stop
}

// idsIn a table, sorted.
func idsIn(t *testing.T, db *sqldb.DB, table string) string {
	t.Helper()
	ids := selectAll[string](t, db, `SELECT id FROM `+table)
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// eightDays is a topic's age.
func eightDays(context.Context) (time.Duration, error) { return 8 * day, nil }

func TestWhatIsOldAndClosedIsPruned(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrateToy(t, db)
		aged(t, db, "POST /toys", "command-new", "done", 202, 23*time.Hour)
		aged(t, db, "POST /toys", "command-old", "done", 202, 25*time.Hour)
		for _, state := range []string{"done", "discarded", "parked", "dead"} {
			aged(t, db, "source.events", "event-new-"+state, state, 0, 7*day)
			aged(t, db, "source.events", "event-old-"+state, state, 0, 9*day)
		}
		aged(t, db, work.ScopeTimer, "timer-new", "done", 0, 7*day)
		aged(t, db, work.ScopeTimer, "timer-old", "done", 0, 9*day)
		aged(t, db, work.ScopeCall, "call-old-dead", "dead", 0, 900*day)
		aged(t, db, work.ScopeCall, "call-asked", "parked", 0, 9*time.Minute)
		aged(t, db, work.ScopeCall, "call-unasked", "parked", 0, 11*time.Minute)
		aged(t, db, work.ScopeTimer, "timer-discarded", "discarded", 0, 900*day) // which would be handed in again
		aged(t, db, work.ScopeCall, "call-discarded", "discarded", 0, 9*day)
		aged(t, db, work.ScopeTimer, "timer-unasked", "parked", 0, 11*time.Minute)
		aged(t, db, work.ScopeTimer, "timer-new-redriven", "parked", 0, 7*day)
		aged(t, db, work.ScopeTimer, "timer-old-redriven", "parked", 0, 9*day)

		const open = "call-asked call-old-dead event-new-dead event-new-discarded event-new-done event-new-parked event-old-dead event-old-parked timer-discarded timer-new-redriven"
		const inbox = "call-asked call-old-dead command-new event-new-dead event-new-discarded event-new-done event-new-parked event-old-dead event-old-parked timer-discarded timer-new timer-new-redriven"
		stop := pruning(t, db, work.PrunerConfig{Events: eightDays})
		eventually(t, "all is pruned", func() bool { return idsIn(t, db, "inbox") == inbox })
		stop()
		if got := idsIn(t, db, "rulings"); got != inbox {
			t.Errorf("rulings of %s", got)
		}
		if got, want := idsIn(t, db, "letters"), strings.ReplaceAll(open, " event-new-done", ""); got != want {
			t.Errorf("letters %s, want %s", got, want)
		}
	})
}

func TestEventsAreKeptWhenTheirAgeIsNotKnownOrHasNoEnd(t *testing.T) {
	for name, events := range map[string]func(context.Context) (time.Duration, error){
		"forever": func(context.Context) (time.Duration, error) { return work.Forever, nil },
		"unknown": func(context.Context) (time.Duration, error) { return 0, errors.New("the broker is away") },
		"nil":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			db := sqltest.SQLite(t)
			migrateToy(t, db)
			aged(t, db, "source.events", "event", "done", 0, 9000*day)
			aged(t, db, "POST /toys", "first", "done", 202, 25*time.Hour)
			stop := pruning(t, db, work.PrunerConfig{Events: events})
			defer stop()
			eventually(t, "commands are pruned", func() bool { return idsIn(t, db, "inbox") == "event" })
			// In the round in which the second goes the first round has ended.
			aged(t, db, "POST /toys", "second", "done", 202, 25*time.Hour)
			eventually(t, "commands are pruned again", func() bool { return idsIn(t, db, "inbox") == "event" })
		})
	}
}

func TestThatEventsAreKeptForEverIsSaidOnce(t *testing.T) {
	db := sqltest.SQLite(t)
	migrateToy(t, db)
	var log strings.Builder
	rounds := make(chan struct{})
	stop := pruning(t, db, work.PrunerConfig{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Events: func(ctx context.Context) (time.Duration, error) {
			select {
			case rounds <- struct{}{}:
			case <-ctx.Done():
			}
			return work.Forever, nil
		},
	})
	for range 3 {
		<-rounds
	}
	stop()
	if n := strings.Count(log.String(), "never pruned"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}

// Steps are small, and two pruners share the work or waste a little of it.
func TestTwoPrunersDoNoHarm(t *testing.T) {
	sqltest.EachURL(t, func(t *testing.T, url string) {
		db := sqltest.Open(t, url)
		other := db
		if db.Dialect() == sqldb.Postgres {
			other = sqltest.Open(t, url)
		}
		migrateToy(t, db)
		for i := range 300 {
			aged(t, db, "source.events", fmt.Sprint("old-", i), []string{"done", "discarded"}[i%2], 0, 9*day+time.Duration(i))
		}
		aged(t, db, "source.events", "open", "dead", 0, 9*day)
		for _, db := range []*sqldb.DB{db, other} {
			defer pruning(t, db, work.PrunerConfig{Events: eightDays, Step: 7})()
		}
		eventually(t, "all is pruned", func() bool { return idsIn(t, db, "inbox") == "open" })
		if letters, rulings := idsIn(t, db, "letters"), idsIn(t, db, "rulings"); letters != "open" || rulings != "open" {
			t.Errorf("letters %s, rulings %s", letters, rulings)
		}
	})
}

func TestAPrunedCommandKeyCanBeUsedAgain(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		key := command("key-1", add{"a", 1})
		other := key
		other.Digest, other.Input = [32]byte{2}, add{"a", 5}
		// The key is a day old; what is done under it again must not take the ids of the first one's events.
		key.Cause, other.Cause = event.Cause{ID: "cause-1"}, event.Cause{ID: "cause-2"}
		if _, err := f.Do(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Do(t.Context(), other); !errors.Is(err, work.ErrReused) {
			t.Fatalf("another body under the key: %v", err)
		}
		exec(t, db, `UPDATE inbox SET handled_at = $1`, noon.Add(-25*time.Hour))
		defer pruning(t, db, work.PrunerConfig{})()
		eventually(t, "the key is forgotten", func() bool { return idsIn(t, db, "inbox") == "" })
		if r, err := f.Do(t.Context(), other); err != nil || r.Repeated {
			t.Errorf("the key used again: %+v, %v", r, err)
		}
		if got := totals(t, db)["a"]; got != 6 {
			t.Errorf("total %d, want both", got)
		}
	})
}
