package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

var errNoClient = errors.New("no client")

// TestADeleteThatCannotGoOnIsGivenUp when its row, or on SQLite the only writer, is taken.
func TestADeleteThatCannotGoOnIsGivenUp(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		migrate(t, db)
		insert(t, db, "a.events", "x", "1")
		l := lanesOf(db, Config{Topics: topics, ProduceWithin: 50 * time.Millisecond})[0]
		rows, err := l.oldest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		removed := make(chan error, 1)
		err = db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if err := tx.Lock(t.Context(), `SELECT 1 FROM outbox`); err != nil {
				return err
			}
			go func() { removed <- l.remove(ended, rows) }()
			select {
			case err := <-removed:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
			case <-time.After(patience):
				t.Error("it waits on")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// The end of the relay, however, keeps no acknowledged row in the table.
		l.cfg.ProduceWithin = patience
		if err := l.remove(ended, rows); err != nil || depth(t, db) != 0 {
			t.Errorf("error %v, depth %d", err, depth(t, db))
		}
	})
}

// TestALaneThatHasRecoveredRetriesSoon though it only found that there is nothing left to do.
func TestALaneThatHasRecoveredRetriesSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrate(t, db)
		var mu sync.Mutex
		var attempts []time.Time
		tried := func() []time.Time {
			mu.Lock()
			defer mu.Unlock()
			return attempts
		}
		l := failingLane(db, func() {
			mu.Lock()
			defer mu.Unlock()
			attempts = append(attempts, time.Now())
		})
		go l.run(t.Context())
		insert(t, db, "a.events", "x", "1")
		const many = 8
		eventually(t, "it has failed often", func() bool { return len(tried()) >= many })
		before := tried()
		if slow := before[many-1].Sub(before[many-2]); slow < time.Second {
			t.Fatalf("it retries within %s: the test tests nothing", slow)
		}
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM outbox`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it finds nothing to do", func() bool { return l.stuck() == nil })
		n := len(tried())
		insert(t, db, "a.events", "x", "2")
		eventually(t, "it has failed twice more", func() bool { return len(tried()) >= n+2 })
		if pause := tried()[n+1].Sub(tried()[n]); pause > 500*time.Millisecond {
			t.Errorf("it retried only after %s", pause)
		}
	})
}

// TestALaneThatHasEndedStandsAtNothing, for what it left is another process's now.
func TestALaneThatHasEndedStandsAtNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqltest.SQLite(t)
		migrate(t, db)
		l := failingLane(db, func() {})
		insert(t, db, "a.events", "x", "1")
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { l.run(ctx); close(done) }()
		eventually(t, "it stands still", func() bool { return errors.Is(l.stuck(), errNoClient) })
		cancel()
		<-done
		if err := l.stuck(); err != nil {
			t.Error(err)
		}
	})
}

// failingLane gets no client, and tells of each attempt.
func failingLane(db *sqldb.DB, tried func()) *lane {
	return lanesOf(db, Config{
		Topics: topics, Logger: slog.New(slog.DiscardHandler),
		NewClient: func(...kgo.Opt) (*kgo.Client, error) { tried(); return nil, errNoClient },
	})[0]
}
