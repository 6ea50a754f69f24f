package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

func TestTransactionIsRolledBackUnlessItsFunctionReturnsNil(t *testing.T) {
	insert := func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO items (key, count) VALUES ($1, $2)`, "a", 1)
		return err
	}
	tests := map[string]struct {
		fn   func(context.Context, *sqldb.Tx) error
		want error
	}{
		"error": {func(ctx context.Context, tx *sqldb.Tx) error { return errors.Join(insert(ctx, tx), errOwn) }, errOwn},
		"panic": {func(ctx context.Context, tx *sqldb.Tx) error { panic(insert(ctx, tx)) }, errOwn},
		"a failed statement whose error was swallowed": {
			func(ctx context.Context, tx *sqldb.Tx) error {
				_, _ = tx.Exec(ctx, `INSERT INTO nowhere VALUES (1)`)
				if err := insert(ctx, tx); !errors.Is(err, sqldb.ErrAborted) {
					return fmt.Errorf("a statement after a failed one returned %w", err)
				}
				return nil
			},
			sqldb.ErrAborted,
		},
		"the context ended": {
			func(ctx context.Context, tx *sqldb.Tx) error {
				ctx.Value(cancelKey{}).(context.CancelFunc)()
				return nil
			},
			context.Canceled,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			eachItems(t, func(t *testing.T, db *sqldb.DB) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ctx = context.WithValue(ctx, cancelKey{}, cancel)
				err := func() (err error) {
					defer func() {
						if recover() != nil || name == "panic" {
							err = errOwn
						}
					}()
					return db.Tx(ctx, func(tx *sqldb.Tx) error {
						if name == "the context ended" {
							if err := insert(ctx, tx); err != nil {
								return err
							}
						}
						return test.fn(ctx, tx)
					})
				}()
				if !errors.Is(err, test.want) || sqldb.IsUnavailable(err) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if got := selectItems(t, db); len(got) != 0 {
					t.Errorf("committed %v", got)
				}
				// The connection is fit for the next transaction.
				mustInsert(t, db, item{Key: "b"})
			})
		})
	}
}

type cancelKey struct{}

func TestRollbackIsNotTakenForACommit(t *testing.T) {
	db := sqltest.Postgres(t)
	migrateItems(t, db)
	ctx := t.Context()
	err := db.Tx(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO items (key, count) VALUES ('a', 1)`); err != nil {
			return err
		}
		// The error of the third row is only in rows.Err, which nobody asks.
		rows, err := tx.Query(ctx, `SELECT 1 / (3 - i) FROM generate_series(1, 3) AS i`)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return rows.Close()
	})
	if got := selectItems(t, db); !errors.Is(err, sqldb.ErrAborted) || len(got) != 0 {
		t.Errorf("error %v, %d rows", err, len(got))
	}
}

func TestCommitRunsToItsEndWhenTheContextHasEnded(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO items (key, count) VALUES ($1, $2)`, "a", 1)
			cancel()
			return err
		})
		if err != nil || len(selectItems(t, db)) != 1 {
			t.Errorf("error %v, %d rows", err, len(selectItems(t, db)))
		}
	})
}

func TestReadSeesOneSnapshotAndCannotWrite(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		mustInsert(t, db, item{Key: "a"})
		count := func(tx *sqldb.Tx) int64 {
			n, err := sqldb.Get[int64](ctx, tx, `SELECT count(*) FROM items`)
			if err != nil {
				t.Error(err)
			}
			return n
		}
		err := db.Read(ctx, func(tx *sqldb.Tx) error {
			before := count(tx)
			mustInsert(t, db, item{Key: "b"})
			if after := count(tx); before != 1 || after != 1 {
				t.Errorf("read %d, then %d rows", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		err = db.Read(ctx, func(tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, `DELETE FROM items`)
			return err
		})
		if err == nil || sqldb.IsUnavailable(err) || len(selectItems(t, db)) != 2 {
			t.Errorf("a write within Read: error %v", err)
		}
	})
}

func TestSelectAndGet(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		mustInsert(t, db, item{Key: "a", Count: 1, Note: new("n")}, item{Key: "b", Count: 2})
		err := db.Tx(ctx, func(tx *sqldb.Tx) error {
			got, err := sqldb.Get[item](ctx, tx, `SELECT note, version, count, key FROM items WHERE key = $1`, "a")
			if err != nil {
				return err
			} else if diff := cmp.Diff(item{Key: "a", Count: 1, Note: new("n")}, got); diff != "" {
				t.Error(diff)
			}
			_, err = sqldb.Get[int64](ctx, tx, `SELECT count FROM items WHERE key = $1`, "x")
			if !errors.Is(err, sql.ErrNoRows) {
				t.Errorf("no row: %v", err)
			}
			if _, err := sqldb.Get[int64](ctx, tx, `SELECT count FROM items`); !errors.Is(err, sqldb.ErrTooMany) {
				t.Errorf("two rows: %v", err)
			}
			if got, err := sqldb.Select[*string](ctx, tx, `SELECT note FROM items ORDER BY key`); err != nil {
				return err
			} else if diff := cmp.Diff([]*string{new("n"), nil}, got); diff != "" {
				t.Error(diff)
			}
			if got, err := sqldb.Select[bool](ctx, tx, `SELECT count > 1 FROM items ORDER BY key`); err != nil {
				return err
			} else if diff := cmp.Diff([]bool{false, true}, got); diff != "" {
				t.Error(diff)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, query := range map[string]string{
			"too few columns":  `SELECT key FROM items`,
			"too many columns": `SELECT * FROM items`,
			"a wrong column":   `SELECT key, count, version, key AS wrong FROM items`,
			"a column twice":   `SELECT key, count, version, key FROM items`,
			"NULL for a value": `SELECT note AS key, count, version, note FROM items`,
		} {
			err := db.Read(ctx, func(tx *sqldb.Tx) error {
				_, err := sqldb.Select[item](ctx, tx, query)
				return err
			})
			if err == nil || sqldb.IsUnavailable(err) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	})
}

func TestTimesOfExpressionsAreUTC(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		if err := sqldb.Migrate(ctx, db, everyMigration, "every"); err != nil {
			t.Fatal(err)
		}
		// The fraction of the earlier one is zero, which a layout of varying width would sort after the later one.
		early := time.Date(2026, 10, 25, 1, 59, 59, 0, time.UTC)
		late := early.Add(time.Microsecond)
		err := db.Tx(ctx, func(tx *sqldb.Tx) error {
			rows := []every{
				{embedded: embedded{1}, Time: late.In(time.FixedZone("", -3600))},
				{embedded: embedded{2}, Time: early},
			}
			_, err := tx.With(rows).Exec(ctx, `INSERT INTO every (id, a_string, an_alias, an_int, a_bool, a_time)
				SELECT id, a_string, an_alias, an_int, a_bool, a_time FROM rows`)
			if err != nil {
				return err
			}
			got, err := sqldb.Get[time.Time](ctx, tx, `SELECT min(a_time) FROM every`)
			if !got.Equal(early) || got.Location() != time.UTC {
				t.Errorf("min is %v, want %v", got, early)
			}
			if err != nil {
				return err
			}
			id, err := sqldb.Get[int64](ctx, tx, `SELECT id FROM every WHERE a_time > $1`, early.In(time.FixedZone("", 7200)))
			if id != 1 {
				t.Errorf("after %v: %d", early, id)
			}
			if err != nil {
				return err
			}
			none, err := sqldb.Get[*time.Time](ctx, tx, `SELECT max(a_time_null) FROM every`)
			if none != nil {
				t.Errorf("max of NULLs is %v", none)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestLockHoldsOffAnotherLockUntilTheEndOfTheTransaction(t *testing.T) {
	const workers, rounds = 4, 25
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		items := []item{{Key: "a"}, {Key: "b"}}
		mustInsert(t, db, items...)
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for range rounds {
					err := db.Tx(ctx, func(tx *sqldb.Tx) error {
						err := tx.With(items).Lock(ctx,
							`SELECT 1 FROM items JOIN rows ON rows.key = items.key WHERE items.count >= $1 ORDER BY items.key`, 0)
						if err != nil {
							return err
						}
						loaded, err := sqldb.Select[item](ctx, tx, `SELECT key, count, version, note FROM items ORDER BY key`)
						if err != nil {
							return err
						}
						for i := range loaded {
							loaded[i].Count++
						}
						_, err = tx.With(loaded).Exec(ctx, `UPDATE items SET count = rows.count FROM rows WHERE items.key = rows.key`)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		want := []item{{Key: "a", Count: workers * rounds}, {Key: "b", Count: workers * rounds}}
		if diff := cmp.Diff(want, selectItems(t, db)); diff != "" {
			t.Error("updates were lost (-want +got):\n" + diff)
		}
	})
}

func TestSharedLocksDoNotExcludeEachOther(t *testing.T) {
	db := sqltest.Postgres(t)
	migrateItems(t, db)
	mustInsert(t, db, item{Key: "a"})
	ctx := t.Context()
	both := make(chan struct{})
	var holders atomic.Int32
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			err := db.Tx(ctx, func(tx *sqldb.Tx) error {
				if err := tx.LockShared(ctx, `SELECT 1 FROM items WHERE key = $1`, "a"); err != nil {
					return err
				}
				if holders.Add(1) == 2 {
					close(both)
				}
				select {
				case <-both:
				case <-time.After(10 * time.Second):
					t.Error("the second waits for the first")
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestManyReadersAndWritersAtOnce(t *testing.T) {
	eachItems(t, func(t *testing.T, db *sqldb.DB) {
		var group sync.WaitGroup
		for w := range 8 {
			group.Go(func() {
				for i := range 10 {
					if err := insertItems(t.Context(), db, item{Key: fmt.Sprintf("%d/%d", w, i)}); err != nil {
						t.Error(err)
					}
				}
			})
			group.Go(func() {
				for range 10 {
					selectItems(t, db)
				}
			})
		}
		group.Wait()
		if got := len(selectItems(t, db)); got != 80 {
			t.Errorf("%d rows, want 80", got)
		}
	})
}

func TestClosedDatabaseRefusesTransactions(t *testing.T) {
	sqltest.EachURL(t, func(t *testing.T, url string) {
		db, err := sqldb.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("the second time: %v", err)
		}
		err = db.Tx(t.Context(), func(*sqldb.Tx) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("a transaction after Close: %v", err)
		}
	})
}
