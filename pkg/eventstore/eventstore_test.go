package eventstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

const never = 1 << 40

func TestStreamsAreTheFoldsOfTheirEvents(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		grow(t.Context(), t, db, store, 1, "a", never, 1, 2)
		grow(t.Context(), t, db, store, 1, "b", never, 5)
		want := grow(t.Context(), t, db, store, 1, "a", never, 4)
		var got []eventstore.Stream[*account]
		transact(t.Context(), t, db, func(tx *sqldb.Tx) (err error) {
			got, err = store.Load(t.Context(), tx, []string{"b", "nobody", "a", "b"})
			return err
		})
		if diff := cmp.Diff([]eventstore.Stream[*account]{want, {
			ID: "b", State: &account{Balance: 5, Seen: []string{"1"}}, Version: 1, At: noon,
		}}, got); diff != "" {
			t.Errorf("streams (-want +got):\n%s", diff)
		}
		if want.State.Balance != 3*(3*1+2)+4 {
			t.Errorf("balance %d", want.State.Balance)
		}
	})
}

func TestAPlaceThatIsTakenIsADuplicate(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		stale := grow(t.Context(), t, db, store, 1, "a", never, 1)
		grow(t.Context(), t, db, store, 1, "a", never, 2)
		for name, stream := range map[string]eventstore.Stream[*account]{"a known stream": stale, "a new one": {ID: "a"}} {
			_, late := move(stream, 1, 3)
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { return store.Append(t.Context(), tx, late) })
			if !sqldb.IsDuplicate(err) {
				t.Errorf("%s: %v, want a duplicate", name, err)
			}
		}
	})
}

func TestAMissingEventIsAnError(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		grow(t.Context(), t, db, store, 1, "a", never, 1, 2, 3)
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			if _, err := tx.Exec(t.Context(), `DELETE FROM account_events WHERE version = 2`); err != nil {
				return err
			}
			_, err := store.Load(t.Context(), tx, []string{"a"})
			return err
		})
		if !errors.Is(err, eventstore.ErrGap) {
			t.Errorf("error = %v, want a gap", err)
		}
	})
}

func TestTheHistoryHasCausesAndComesInOrder(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		grow(t.Context(), t, db, store, 1, "a", 2, 1, 2, 3) // a snapshot hides none of it
		var history []eventstore.Record
		var err error
		transact(t.Context(), t, db, func(tx *sqldb.Tx) error {
			history, err = store.History(t.Context(), tx, "a")
			return err
		})
		_, want := move(eventstore.Stream[*account]{ID: "a"}, 1, 1, 2, 3)
		if diff := cmp.Diff(want, history); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		err = db.Read(t.Context(), func(tx *sqldb.Tx) error {
			_, err := store.History(t.Context(), tx, "nobody")
			return err
		})
		if !errors.Is(err, eventstore.ErrNotFound) {
			t.Errorf("of an unknown stream: %v", err)
		}
	})
}

func TestTimeTravelBeforeAtAndAfterASnapshot(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		// Versions 3 and 4 happen at one instant, the snapshot is of version 4.
		stream, records := move(eventstore.Stream[*account]{ID: "a"}, 1, 1, 2, 3, 4)
		records[3].At = records[2].At
		stream.At = records[2].At
		transact(t.Context(), t, db, func(tx *sqldb.Tx) error {
			if err := store.Append(t.Context(), tx, records); err != nil {
				return err
			}
			return store.Snapshot(t.Context(), tx, []eventstore.Stream[*account]{stream}, 4)
		})
		grow(t.Context(), t, db, store, 1, "a", 4, 5, 6)

		second := func(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Second))) }
		tests := map[string]struct {
			until             eventstore.Until
			version, snapshot int64 // version 0: not found
		}{
			"now":                              {eventstore.Until{}, 6, 4},
			"at the first version":             {eventstore.Until{Version: 1}, 1, 0},
			"at the version before":            {eventstore.Until{Version: 3}, 3, 0},
			"at the version of the snapshot":   {eventstore.Until{Version: 4}, 4, 4},
			"at the version after":             {eventstore.Until{Version: 5}, 5, 4},
			"at the last version":              {eventstore.Until{Version: 6}, 6, 4},
			"beyond the end":                   {eventstore.Until{Version: 7}, 0, 0},
			"before there was any":             {eventstore.Until{At: noon.Add(-time.Microsecond)}, 0, 0},
			"at the first instant":             {eventstore.Until{At: noon}, 1, 0},
			"just before the equal ones":       {eventstore.Until{At: second(2).Add(-time.Microsecond)}, 2, 0},
			"at an instant that two share":     {eventstore.Until{At: second(2)}, 4, 4},
			"just after it":                    {eventstore.Until{At: second(2).Add(time.Microsecond)}, 4, 4},
			"within the same microsecond":      {eventstore.Until{At: second(2).Add(time.Nanosecond)}, 4, 4},
			"at the last instant":              {eventstore.Until{At: second(5)}, 6, 4},
			"long after":                       {eventstore.Until{At: second(9000)}, 6, 4},
			"a version, before it happened":    {eventstore.Until{Version: 4, At: second(1)}, 0, 0},
			"a version, long after it was so":  {eventstore.Until{Version: 3, At: second(9000)}, 3, 0},
			"the first of two at one instant":  {eventstore.Until{Version: 3, At: second(2)}, 3, 0},
			"the second of two at one instant": {eventstore.Until{Version: 4, At: second(2)}, 4, 4},
		}
		for name, tt := range tests {
			var got eventstore.Stream[*account]
			err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
				got, err = store.Read(t.Context(), tx, "a", tt.until)
				return err
			})
			if tt.version == 0 {
				if !errors.Is(err, eventstore.ErrNotFound) {
					t.Errorf("%s: %+v, %v; want not found", name, got, err)
				}
				continue
			}
			want, _ := move(eventstore.Stream[*account]{ID: "a"}, 1, []int64{1, 2, 3, 4, 5, 6}[:tt.version]...)
			if err != nil || got.Version != tt.version || got.Snapshot != tt.snapshot {
				t.Errorf("%s: %+v, %v; want version %d from snapshot %d", name, got, err, tt.version, tt.snapshot)
			} else if diff := cmp.Diff(want.State, got.State); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestASnapshotIsKeptOnceAStreamHasGrown(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		steps := []struct {
			events int
			want   int64 // the snapshot's version afterwards
		}{{2, 0}, {1, 3}, {1, 3}, {1, 3}, {1, 6}, {7, 13}, {2, 13}, {1, 16}}
		for i, step := range steps {
			grow(t.Context(), t, db, store, 1, "a", 3, make([]int64, step.events)...)
			if got := now(t.Context(), t, db, store, "a").Snapshot; got != step.want {
				t.Fatalf("step %d: loaded from snapshot %d, want %d", i, got, step.want)
			}
		}
		var kept []int64
		transact(t.Context(), t, db, func(tx *sqldb.Tx) (err error) {
			kept, err = sqldb.Select[int64](t.Context(), tx, `SELECT version FROM account_snapshots`)
			return err
		})
		if diff := cmp.Diff([]int64{16}, kept); diff != "" {
			t.Errorf("snapshots kept (-want +got):\n%s", diff)
		}
	})
}

func TestASnapshotTakesTheEventsItStandsForOutOfTheLoad(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		want := grow(t.Context(), t, db, store, 1, "a", 3, 1, 2, 3)
		transact(t.Context(), t, db, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE account_events SET data = 'unreadable'`)
			return err
		})
		want.Snapshot = 3
		if diff := cmp.Diff(want, now(t.Context(), t, db, store, "a")); diff != "" {
			t.Errorf("loaded (-want +got):\n%s", diff)
		}
	})
}

// An older release beside this one folds without a field that only this one knows.
func TestTheSnapshotOfAnotherFoldIsPassedOver(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		before, after := open(1), open(2)
		plain, _ := move(eventstore.Stream[*account]{ID: "a"}, 1, 9, 1, 2, 3)
		wanted, _ := move(eventstore.Stream[*account]{ID: "a"}, 2, 9, 1, 2, 3)

		grow(t.Context(), t, db, before, 1, "a", 2, 9, 1) // a snapshot of fold 1
		grow(t.Context(), t, db, after, 2, "a", never, 2)
		grow(t.Context(), t, db, before, 1, "a", never, 3)
		for i, step := range []struct {
			keep        int64 // the fold whose release keeps a snapshot first; 0 for none
			before, now int64 // the snapshots that each loads from
		}{{0, 2, 0}, {2, 0, 4}, {1, 4, 0}, {2, 0, 4}} {
			stores := map[int64]*eventstore.Store[*account]{1: before, 2: after}
			if store := stores[step.keep]; store != nil {
				grow(t.Context(), t, db, store, step.keep, "a", 1)
			}
			for fold, want := range map[int64]eventstore.Stream[*account]{1: plain, 2: wanted} {
				if want.Snapshot = step.before; fold == 2 {
					want.Snapshot = step.now
				}
				if diff := cmp.Diff(want, now(t.Context(), t, db, stores[fold], "a")); diff != "" {
					t.Errorf("step %d, fold %d (-want +got):\n%s", i, fold, diff)
				}
			}
		}
		if wanted.State.Largest != 9 {
			t.Errorf("the largest is %d", wanted.State.Largest)
		}
	})
}

func TestWhatCannotBeFoldedNamesItsPlace(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		grow(t.Context(), t, db, store, 1, "a", never, 1, 2, 3)
		for place, statement := range map[string]string{
			"version 2 of stream a": `UPDATE account_events SET data = '' WHERE version = 2`,
			"version 3 of stream a": `INSERT INTO account_snapshots (account, version, happened_at, fold, state)
				SELECT account, version, happened_at, 1, '{' FROM account_events WHERE version = 3`,
		} {
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				if _, err := tx.Exec(t.Context(), statement); err != nil {
					return err
				}
				_, err := store.Load(t.Context(), tx, []string{"a"})
				return err
			})
			if err == nil || len(err.Error()) < len(place) || err.Error()[:len(place)] != place {
				t.Errorf("error = %v, want it to begin with %q", err, place)
			}
		}
	})
}

func TestNothingIsAskedForNothing(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		store := open(1)
		err := db.Read(t.Context(), func(tx *sqldb.Tx) error { // in which a write would fail
			if streams, err := store.Load(t.Context(), tx, nil); err != nil || streams != nil {
				return fmt.Errorf("loaded %v, %w", streams, err)
			}
			short, _ := move(eventstore.Stream[*account]{ID: "a"}, 1, 1)
			if err := store.Snapshot(t.Context(), tx, []eventstore.Stream[*account]{short}, 2); err != nil {
				return err
			}
			return store.Append(t.Context(), tx, nil)
		})
		if err != nil {
			t.Error(err)
		}
	})
}
