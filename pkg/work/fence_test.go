package work_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// TestALetterThatAnotherTookMeanwhileIsLeftToIt lets one replica take up a letter, and then another handle it before
// the first one loads: what it decides then is on a state that has it already.
func TestALetterThatAnotherTookMeanwhileIsLeftToIt(t *testing.T) {
	db := sqltest.Postgres(t)
	first := running(t, db)
	first.take(t, withID(consumed("1", after{"a", "b", 1})), consumed("2", add{"b", 1}))
	retry := []work.Retry[input]{{Message: withID(consumed("1", add{"a", 1})), Tried: 1}}

	s := newToy()
	svc := s.service()
	load := svc.Load
	meanwhile := sync.OnceFunc(func() {
		if err := first.Retry(t.Context(), retry); err != nil {
			t.Error(err)
		}
	})
	svc.Load = func(ctx context.Context, tx *sqldb.Tx, inputs []input) (book, error) {
		meanwhile()
		return load(ctx, tx, inputs)
	}
	second := newFixture(t, db, s, work.Config{})
	second.unit = work.New(svc, db, work.Config{})
	second.start(t)
	if err := second.Retry(t.Context(), retry); err != nil {
		t.Error(err)
	}
	if got := totals(t, db)["a"]; got != 1 {
		t.Errorf("G2: one letter was handled by two replicas: total %d, want 1", got)
	}
}

// TestAFreshEventWaitsBehindWhatStillWaits: the head of the queue is done, what waited behind it is not yet.
func TestAFreshEventWaitsBehindWhatStillWaits(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		f := running(t, db)
		head := withID(consumed("1", after{"a", "b", 1}))
		f.take(t, head, withID(consumed("2", add{"a", 2})))
		f.take(t, consumed("b", add{"b", 1}))
		if err := f.Retry(t.Context(), []work.Retry[input]{{Message: head, Tried: 1}}); err != nil {
			t.Fatal(err)
		}
		refused := f.take(t, withID(consumed("3", add{"a", 3})))
		if !errors.Is(refused[0], work.ErrBehind) {
			t.Errorf("G3: a fresh event overtook what waits in its queue: refused %v", refused)
		}
		if diff := cmp.Diff([]int64{1}, keysOf(t, db, "a")); diff != "" {
			t.Error("G3: events of the key (-want +got):\n" + diff)
		}
		if diff := cmp.Diff([]string{"2 parked behind 0", "3 parked behind 0"}, letters(t, db)); diff != "" {
			t.Error("letters (-want +got):\n" + diff)
		}
	})
}

// TestEachClaimHasAnAnswerOfItsOwn: a call is made again when its answer has settled nothing, and may then be answered
// otherwise.
func TestEachClaimHasAnAnswerOfItsOwn(t *testing.T) {
	eachWithJobs(t, func(t *testing.T, db *sqldb.DB) {
		migrateToyTables(t, db)
		f := newFixture(t, db, newToy(), work.Config{})
		f.start(t)
		now := time.Unix(1_000_000, 0).UTC()
		ask(t, db, "a", "open", now)
		for i, said := range []string{"not now", "yes"} {
			call := one(t, claimErrands(t, db, now, 10))
			m := work.AnswerMessage(call, "open", []byte(said), now, "", "", input(add{"a", 1}))
			for range 2 { // one answer handed in twice counts once
				if _, err := f.Do(t.Context(), m); err != nil {
					t.Errorf("G6: the answer to claim %d is not taken: %v", i+1, err)
				}
			}
			claimErrands(t, db, now, 0, work.Ended[errand]{Call: call})
			now = now.Add(time.Hour)
		}
		if got := totals(t, db)["a"]; got != 2 {
			t.Errorf("G2: total %d, want 2", got)
		}
	})
}

// The other replica sets the same contradiction aside between the two reads: what comes behind it has to wait as well.
func TestWhatIsBehindAContradictionThatWasJustSetAsideWaits(t *testing.T) {
	address := sqltest.PostgresURL(t)
	other := running(t, sqltest.Open(t, address))
	other.take(t, consumed("1", add{"a", 1}))
	meanwhile := sync.OnceFunc(func() { other.take(t, withDigest(consumed("1", add{"a", 5}), 9)) })
	db := sqltest.Open(t, address, sqldb.WithFault(func(_ context.Context, query string) error {
		if strings.Contains(query, "FROM inbox i JOIN rows") {
			meanwhile()
		}
		return nil
	}))
	f := newFixture(t, db, newToy(), work.Config{})
	f.start(t)
	refused := f.take(t, withDigest(consumed("1", add{"a", 5}), 9), consumed("2", add{"a", 2}))
	if len(refused) != 1 || !errors.Is(refused[1], work.ErrBehind) {
		t.Errorf("G3: refused %v, want the second behind the first", refused)
	}
}

// TestWhatIsBehindAnEventThatWasJustSetAsideWaits lets another replica set an event aside after this one has seen that
// no stream is open, and before it reads the inbox.
func TestWhatIsBehindAnEventThatWasJustSetAsideWaits(t *testing.T) {
	address := sqltest.PostgresURL(t)
	other := running(t, sqltest.Open(t, address))
	meanwhile := sync.OnceFunc(func() { other.take(t, consumed("1", reject{"a"})) })
	db := sqltest.Open(t, address, sqldb.WithFault(func(_ context.Context, query string) error {
		if strings.Contains(query, "FROM inbox i JOIN rows") {
			meanwhile()
		}
		return nil
	}))
	f := newFixture(t, db, newToy(), work.Config{})
	f.start(t)
	refused := f.take(t, consumed("1", add{"a", 1}), consumed("2", add{"a", 2}))
	if len(refused) != 1 || !errors.Is(refused[1], work.ErrBehind) {
		t.Errorf("G3: refused %v, want the second behind the first", refused)
	}
	if diff := cmp.Diff([]string{"1 dead refused 1", "2 parked behind 0"}, letters(t, db)); diff != "" {
		t.Error("G3: letters (-want +got):\n" + diff)
	}
}
