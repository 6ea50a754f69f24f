package projection_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestTheTablesTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t, db, `INSERT INTO notes_2 (id, version) VALUES ('stray', 7)`)
		r := rebuilder(db, source{notes: 35})
		for _, want := range []string{"notes_2", "notes", "notes_2"} {
			begun := start(t, r)
			s := await(t, r)
			if s.Run != begun.Run || s.Phase != projection.PhaseDone || s.Done != 35 || s.Total != 35 || s.Operator != "ada" {
				t.Fatalf("ended as %+v", s)
			}
			if table, all, others := served(t, db); table != want || len(all) != 35 || others != 0 {
				t.Fatalf("%s is served with %d notes, %d are in the other table; want %s", table, len(all), others, want)
			}
		}
	})
}

func TestTheNewerRowStays(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		r := rebuilder(db, source{notes: 25, next: func(from int) error {
			if from == 10 {
				return errors.Join(write(t.Context(), db, note{"n-003", 9}), write(t.Context(), db, note{"n-013", 8}),
					write(t.Context(), db, note{"of its own", 1}))
			}
			return nil
		}})
		start(t, r)
		await(t, r)
		_, all, _ := served(t, db)
		if len(all) != 26 || all[3].Version != 9 || all[13].Version != 8 || all[25].ID != "of its own" {
			t.Errorf("served %v", all)
		}
	})
}

func TestOneRebuildOfAModelAtATime(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		r := rebuilder(db, source{notes: 1})
		if _, err := r.Status(t.Context(), "notes"); !errors.Is(err, projection.ErrNever) {
			t.Errorf("before the first: %v", err)
		}
		for _, ask := range []func() error{
			func() error { _, err := r.Start(t.Context(), "letters", "ada"); return err },
			func() error { _, err := r.Status(t.Context(), "letters"); return err },
		} {
			if err := ask(); !errors.Is(err, projection.ErrUnknown) {
				t.Errorf("of an unknown model: %v", err)
			}
		}
		first := start(t, r)
		if s, err := r.Start(t.Context(), "notes", "bob"); !errors.Is(err, projection.ErrRunning) || s.Run != first.Run {
			t.Errorf("a second one: %+v, %v", s, err)
		}
		await(t, r)
		if second := start(t, r); second.Run == first.Run || second.Done != 0 {
			t.Errorf("another begins as %+v", second)
		}
	})
}

func TestARebuildGoesOnWhereItsProcessDied(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, die := context.WithCancel(t.Context())
		dying := rebuilder(db, source{notes: 45, next: func(from int) error {
			if from == 20 {
				die()
			}
			return nil
		}})
		start(t, dying)
		if err := dying.Run(ctx); err != nil {
			t.Error(err)
		}
		var from []int
		r := rebuilder(db, source{notes: 45, next: func(at int) error { from = append(from, at); return nil }})
		if s, err := r.Status(t.Context(), "notes"); err != nil || s.Phase != projection.PhaseFilling || s.Done != 20 {
			t.Fatalf("left as %+v, %v", s, err)
		}
		if s := await(t, r); s.Phase != projection.PhaseDone || s.Done != 45 {
			t.Errorf("ended as %+v", s)
		}
		if from[0] != 20 {
			t.Errorf("it read from %v", from)
		}
		if _, all, others := served(t, db); len(all) != 45 || others != 0 {
			t.Errorf("%d are served, %d in the other table", len(all), others)
		}
	})
}

func TestARebuildWaitsForItsSource(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		away := 2
		r := rebuilder(db, source{notes: 25, next: func(from int) error {
			if from == 10 && away > 0 {
				away--
				return fmt.Errorf("%w: for a while", projection.ErrAway)
			}
			return nil
		}})
		start(t, r)
		if s := await(t, r); s.Phase != projection.PhaseDone || s.Done != 25 {
			t.Errorf("ended as %+v", s)
		}
	})
}

func TestAFailedRebuildLeavesTheModelAsItWas(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if err := write(t.Context(), db, note{"old", 1}); err != nil {
			t.Fatal(err)
		}
		fails := true
		r := rebuilder(db, source{notes: 25, next: func(from int) error {
			if from == 10 && fails {
				return errors.New("broken\x00 for \xff good " + strings.Repeat("é", 2000))
			}
			return nil
		}})
		start(t, r)
		s := await(t, r)
		if s.Phase != projection.PhaseFailed || !strings.HasPrefix(s.Error, "broken for  good é") {
			t.Errorf("ended as %+v", s)
		}
		if table, all, _ := served(t, db); table != "notes" || len(all) != 1 {
			t.Errorf("%s is served with %v", table, all)
		}
		fails = false
		start(t, r)
		if s := await(t, r); s.Phase != projection.PhaseDone || s.Error != "" {
			t.Errorf("the next has ended as %+v", s)
		}
		if table, all, others := served(t, db); table != "notes_2" || len(all) != 25 || others != 0 {
			t.Errorf("%s is served with %d notes, %d are in the other table", table, len(all), others)
		}
	})
}

func TestAModelWithoutItsRowIsNotRebuilt(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t, db, `DELETE FROM projections`)
		r := rebuilder(db, source{notes: 1})
		if err := write(t.Context(), db, note{"n", 1}); err != nil {
			t.Fatal(err)
		}
		if table, all, _ := served(t, db); table != "notes" || len(all) != 1 {
			t.Errorf("%s is served with %v", table, all)
		}
		start(t, r)
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		// It cannot even be called failed, for want of the row; the log says so, and the model is served.
		for range 50 {
			if s, err := r.Status(ctx, "notes"); err != nil || s.Phase != projection.PhaseClearing {
				t.Fatalf("%+v, %v", s, err)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Writers whose locks overlap without a gap would keep the rebuild from ever having its own.
func TestAWriterThatComesLaterWaitsBehindTheRebuild(t *testing.T) {
	db := sqltest.Postgres(t) // on SQLite the writer is alone
	if err := sqldb.Migrate(t.Context(), db, migrations, "notes"); err != nil {
		t.Fatal(err)
	}
	r := rebuilder(db, source{notes: 25})
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	wrote := make(chan error, 1)
	ended := make(chan error, 1)
	err := db.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := projection.Share(ctx, tx, notes); err != nil {
			return err
		}
		start(t, r)
		go func() { ended <- r.Run(ctx) }()
		if err := waiting(ctx, db, 1, patience); err != nil {
			return err
		}
		go func() { wrote <- write(ctx, db, note{"late", 1}) }()
		for {
			select {
			case err := <-wrote:
				return fmt.Errorf("the writer that came later had its turn first: %w", err)
			default:
			}
			if err := waiting(ctx, db, 2, time.Second); err == nil {
				return nil
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-wrote; err != nil {
		t.Error(err)
	}
	for s := (projection.Status{}); !s.Phase.Ended(); {
		if s, err = r.Status(ctx, "notes"); err != nil {
			t.Error(err)
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, all, _ := served(t, db); len(all) != 26 {
		t.Errorf("%d notes are served", len(all))
	}
}

// waiting looks until at least n wait for a lock.
func waiting(ctx context.Context, db *sqldb.DB, n int64, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for found := int64(0); found < n; {
		err := db.Read(ctx, func(tx *sqldb.Tx) (err error) {
			found, err = sqldb.Get[int64](ctx, tx, `SELECT count(*) FROM pg_locks WHERE NOT granted`)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
