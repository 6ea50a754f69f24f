package eventstore_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// Two replicas, each with a threshold and a fold of its own, extend the same streams, sometimes from a state that the
// other has left behind. Whatever snapshots they keep, each reads what it would fold from the start, now and at every
// point before.
func TestSnapshotsChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		runs := 0
		rapid.Check(t, func(rt *rapid.T) {
			runs++
			ids := []string{fmt.Sprintf("a-%d", runs), fmt.Sprintf("b-%d", runs)}
			history := make(map[string][]int64) // the amounts that were committed
			type replica struct {
				fold, every int64
				store       *eventstore.Store[*account]
			}
			var replicas []replica
			for _, name := range []string{"first", "second"} {
				fold := rapid.Int64Range(1, 2).Draw(rt, name+" fold")
				replicas = append(replicas, replica{fold, rapid.Int64Range(1, 7).Draw(rt, name+" every"), open(fold)})
			}
			amounts := rapid.SliceOfN(rapid.Int64Range(-9, 9), 1, 5)

			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				ours := replicas[rapid.IntRange(0, 1).Draw(rt, "replica")]
				id := rapid.SampledFrom(ids).Draw(rt, "stream")
				loaded := eventstore.Stream[*account]{ID: id}
				if len(history[id]) > 0 {
					loaded = now(t.Context(), rt, db, ours.store, id)
				}
				if rapid.Bool().Draw(rt, "overtaken") {
					theirs := replicas[rapid.IntRange(0, 1).Draw(rt, "by")]
					added := amounts.Draw(rt, "their amounts")
					grow(t.Context(), rt, db, theirs.store, theirs.fold, id, theirs.every, added...)
					history[id] = append(history[id], added...)
				}
				added := amounts.Draw(rt, "our amounts")
				stale := int(loaded.Version) < len(history[id])
				grown, records := move(loaded, ours.fold, added...)
				err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
					if err := ours.store.Append(t.Context(), tx, records); err != nil {
						return err
					}
					return ours.store.Snapshot(t.Context(), tx, []eventstore.Stream[*account]{grown}, ours.every)
				})
				switch {
				case stale && !sqldb.IsDuplicate(err), !stale && err != nil:
					rt.Fatalf("append, stale %t: %v", stale, err)
				case !stale:
					history[id] = append(history[id], added...)
				}
			}

			for _, r := range replicas {
				for _, id := range ids {
					for version := range int64(len(history[id])) {
						want, _ := move(eventstore.Stream[*account]{ID: id}, r.fold, history[id][:version+1]...)
						for _, until := range []eventstore.Until{{Version: want.Version}, {At: want.At}} {
							var got eventstore.Stream[*account]
							err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
								got, err = r.store.Read(t.Context(), tx, id, until)
								return err
							})
							want.Snapshot = got.Snapshot
							if diff := cmp.Diff(want, got); err != nil || diff != "" {
								rt.Fatalf("%s by fold %d until %+v: %v (-want +got):\n%s", id, r.fold, until, err, diff)
							}
						}
					}
				}
			}
		})
	})
}

// Replicas that race for one stream lose no event and keep no snapshot of a state that never was.
func TestReplicasThatRaceForAStream(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		const each, every = 60, 3
		var replicas sync.WaitGroup
		for fold := int64(1); fold <= 2; fold++ {
			replicas.Go(func() {
				store := open(fold)
				for done := 0; done < each; {
					err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
						found, err := store.Load(t.Context(), tx, []string{"a"})
						if err != nil {
							return err
						}
						loaded := eventstore.Stream[*account]{ID: "a"}
						if len(found) > 0 {
							loaded = found[0]
						}
						grown, records := move(loaded, fold, loaded.Version%7)
						if err := store.Append(t.Context(), tx, records); err != nil {
							return err
						}
						return store.Snapshot(t.Context(), tx, []eventstore.Stream[*account]{grown}, every)
					})
					switch {
					case err == nil:
						done++
					case !sqldb.IsDuplicate(err) && !sqldb.IsUnavailable(err):
						t.Error(err)
						return
					}
				}
			})
		}
		replicas.Wait()
		amounts := make([]int64, 2*each)
		for i := range amounts {
			amounts[i] = int64(i) % 7
		}
		for fold := int64(1); fold <= 2; fold++ {
			want, _ := move(eventstore.Stream[*account]{ID: "a"}, fold, amounts...)
			got := now(t.Context(), t, db, open(fold), "a")
			want.Snapshot = got.Snapshot
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("fold %d (-want +got):\n%s", fold, diff)
			}
		}
	})
}

// A reader beside a writer sees a stream whole: snapshot and tail are of one moment.
func TestAReaderSeesAStreamOfOneMoment(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		const events = 100
		store := open(1)
		grow(t.Context(), t, db, store, 1, "a", 2, 0)
		var reader sync.WaitGroup
		reader.Go(func() {
			for version := int64(0); version < events && t.Context().Err() == nil; {
				var got eventstore.Stream[*account]
				err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
					got, err = store.Read(t.Context(), tx, "a", eventstore.Until{})
					return err
				})
				if err != nil || got.Version < version || got.State.Seen[len(got.State.Seen)-1] != fmt.Sprint(got.Version) {
					t.Errorf("read %+v after version %d: %v", got, version, err)
					return
				}
				version = got.Version
			}
		})
		for i := range int64(events - 1) {
			grow(t.Context(), t, db, store, 1, "a", 2, i)
		}
		reader.Wait()
	})
}
