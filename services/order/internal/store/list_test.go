package store_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

var bookkeeping = cmpopts.IgnoreFields(order.Order{}, "Stored", "Snapshot")

// exec runs a statement that changes the stored data.
func exec(t *testing.T, db *sqldb.DB, statement string, args ...any) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

type listColumns struct {
	OrderID  string `db:"order_id"`
	Placed   string `db:"placed"`
	Progress string `db:"progress"`
	Version  int64  `db:"progress_version"`
	Fold     int64  `db:"progress_fold"`
	// What sagas that wait are found by.
	OpenSince *time.Time `db:"open_since"`
	Open      int64      `db:"open_version"`
}

// asBefore writes as the release before the list's columns did: it changes its own columns and keeps no snapshots.
func asBefore(t *testing.T, db *sqldb.DB, messages ...order.Message) {
	t.Helper()
	var kept []listColumns
	err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
		kept, err = sqldb.Select[listColumns](t.Context(), tx,
			`SELECT order_id, placed, progress, progress_version, progress_fold, open_since, open_version FROM orders`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, messages...)
	exec(t, db, `UPDATE orders SET placed = '', progress = '', progress_version = 0, progress_fold = 0, open_since = NULL,
		open_version = 0`)
	err = db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.With(kept).Exec(t.Context(), `
			UPDATE orders SET placed = rows.placed, progress = rows.progress,
				progress_version = rows.progress_version, progress_fold = rows.progress_fold,
				open_since = rows.open_since, open_version = rows.open_version
			FROM rows WHERE rows.order_id = orders.order_id`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// folded returns the orders as their events say, from the first.
func folded(t *testing.T, db *sqldb.DB, ids ...string) []*order.Order {
	t.Helper()
	var orders []*order.Order
	for _, id := range ids {
		recorded, err := store.Events(t.Context(), db, id)
		if err != nil {
			t.Fatal(err)
		}
		o := &order.Order{ID: id}
		for _, r := range recorded {
			o.Apply(r.Event)
		}
		orders = append(orders, o)
	}
	return orders
}

func list(t *testing.T, db *sqldb.DB) []*order.Order {
	t.Helper()
	orders, err := store.Orders(t.Context(), db, store.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return orders
}

func answered(id string, seconds int, a order.Answer) order.Answered {
	return order.Answered{OrderID: id, At: noon.Add(time.Duration(seconds) * time.Second), Answer: a}
}

func TestAListIsServedFromTheReadTableAlone(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		must(t, db, place("o-1", "ada", noon))
		must(t, db, place("o-2", "bob", noon.Add(time.Second)), answered("o-1", 1, order.StockReserved{}))
		must(t, db, order.Cancel{OrderID: "o-1", Detail: "Changed my mind", At: noon.Add(time.Minute)})
		want := folded(t, db, "o-2", "o-1")
		exec(t, db, `DELETE FROM order_events`)
		exec(t, db, `DELETE FROM order_snapshots`)
		if diff := cmp.Diff(want, list(t, db), bookkeeping); diff != "" {
			t.Errorf("listed (-folded +listed):\n%s", diff)
		}
	})
}

func TestAListIsRightBesideAReleaseWithoutItsColumns(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		right := func(when string) {
			t.Helper()
			if diff := cmp.Diff(folded(t, db, "o-2", "o-1"), list(t, db), bookkeeping); diff != "" {
				t.Errorf("%s (-folded +listed):\n%s", when, diff)
			}
		}
		must(t, db, place("o-1", "ada", noon))
		asBefore(t, db, place("o-2", "bob", noon.Add(time.Second)))
		right("placed by either")
		asBefore(t, db, answered("o-1", 1, order.StockReserved{}))
		right("ours continued by theirs")
		must(t, db, answered("o-2", 2, order.StockReserved{}))
		right("theirs continued by ours")
		must(t, db, answered("o-1", 3, order.PaymentAuthorized{Amount: 1798, Currency: "EUR"}))
		right("confirmed by ours")
		asBefore(t, db, order.Cancel{OrderID: "o-2", At: noon.Add(time.Minute)})
		right("cancelled by theirs")
		exec(t, db, `UPDATE orders SET progress_fold = 99, progress = 'of another form'`)
		right("written by another fold")
	})
}

func TestTheReadTableIsBroughtUpToDate(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		const orders = 130 // more than one batch
		var messages []order.Message
		for i := range orders {
			messages = append(messages, place(fmt.Sprintf("o-%03d", i), "ada", noon.Add(time.Duration(i)*time.Second)))
		}
		must(t, db, messages...)
		must(t, db, order.Cancel{OrderID: "o-007", At: noon.Add(time.Hour)})
		exec(t, db, `UPDATE orders SET placed = '' WHERE order_id < 'o-040'`)
		exec(t, db, `UPDATE orders SET progress_version = 0 WHERE order_id BETWEEN 'o-040' AND 'o-098'`)
		exec(t, db, `UPDATE orders SET progress_fold = 99 WHERE order_id BETWEEN 'o-099' AND 'o-119'`)
		exec(t, db, `UPDATE orders SET open_version = 0, open_since = NULL WHERE order_id > 'o-119'`)

		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- store.KeepRefreshed(ctx, db, slog.New(slog.DiscardHandler)) }()
		behind := func() (n int64) {
			err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
				n, err = sqldb.Get[int64](t.Context(), tx, `SELECT count(*) FROM orders
					WHERE placed = '' OR progress_version <> version OR progress_fold <> $1 OR open_version <> version`,
					order.Fold)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		for behind() > 0 && t.Context().Err() == nil { // it reaches the last, or the test's time is over
			select {
			case err := <-ended:
				t.Fatalf("ended by itself: %v", err)
			case <-time.After(time.Millisecond): // between two looks
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		var open int64
		counts, err := store.OpenSagas(t.Context(), db)
		for _, c := range counts {
			open += c.Orders
		}
		if err != nil || open != orders {
			t.Errorf("%d sagas are open, %v", open, err)
		}
		want := folded(t, db, "o-007")[0]
		exec(t, db, `DELETE FROM order_events`)
		all, err := store.Orders(t.Context(), db, store.Filter{Limit: orders + 1})
		if err != nil || len(all) != orders {
			t.Fatalf("%d orders are listed, %v", len(all), err)
		}
		if diff := cmp.Diff(want, all[orders-1-7], bookkeeping); diff != "" {
			t.Errorf("listed (-folded +listed):\n%s", diff)
		}
	})
}

func TestOpenSagasAreCountedByStatusAndAge(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		if none, err := store.OpenSagas(t.Context(), db, noon); err != nil || len(none) != 0 {
			t.Errorf("of no order: %+v, %v", none, err)
		}
		for i, id := range []string{"o-1", "o-2", "o-3", "o-4"} {
			must(t, db, place(id, "ada", noon.Add(time.Duration(i)*time.Minute)))
		}
		must(t, db, order.Cancel{OrderID: "o-4", At: noon.Add(4 * time.Minute)})
		got, err := store.OpenSagas(t.Context(), db, noon.Add(time.Minute), noon, noon.Add(-1))
		want := []store.Open{
			{Status: order.StatusCancelled, Reached: 0, Orders: 1, Oldest: noon.Add(4 * time.Minute)},
			{Status: order.StatusPending, Reached: 0, Orders: 1, Oldest: noon.Add(2 * time.Minute)},
			{Status: order.StatusPending, Reached: 1, Orders: 1, Oldest: noon.Add(time.Minute)},
			{Status: order.StatusPending, Reached: 2, Orders: 1, Oldest: noon},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// What a release that does not know of sagas has written is found once it is brought up to date.
func TestSagasOfAReleaseWithoutTheirColumnsAreFound(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		must(t, db, place("o-1", "ada", noon), place("o-3", "ada", noon))
		asBefore(t, db, place("o-2", "bob", noon.Add(time.Second)), order.Cancel{OrderID: "o-1", At: noon.Add(time.Minute)})
		asBefore(t, db, order.Cancel{OrderID: "o-3", At: noon}, answered("o-3", 1, order.StockReleased{}),
			answered("o-3", 2, order.PaymentVoided{}))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- store.KeepRefreshed(ctx, db, slog.New(slog.DiscardHandler)) }()
		var waiting []*order.Order
		for t.Context().Err() == nil {
			var err error
			if waiting, err = store.Waiting(t.Context(), db, noon.Add(time.Hour), store.Since{}, 10); err != nil {
				t.Fatal(err)
			}
			if len(waiting) == 2 && waiting[1].Status == order.StatusCancelled {
				break
			}
			<-time.After(time.Millisecond) // between two looks
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(folded(t, db, "o-2", "o-1"), waiting, bookkeeping); diff != "" {
			t.Errorf("waiting (-folded +listed):\n%s", diff)
		}
	})
}

// The tables of the release before are taken over as they are, and that release works on the new ones.
func TestTheTablesOfTheReleaseBeforeAreTakenOver(t *testing.T) {
	before := fstest.MapFS{}
	first, err := fs.ReadFile(store.Migrations(), "00001_orders.sql")
	if err != nil {
		t.Fatal(err)
	}
	before["00001_orders.sql"] = &fstest.MapFile{Data: first}
	const (
		stored = `INSERT INTO order_events (order_id, version, type, data, event_id, causation_id, correlation_id, happened_at)
			VALUES ($1, 1, 'OrderPlaced', $2, 'e', 'c', 'r', $3)`
		listed = `INSERT INTO orders (order_id, customer_id, status, placed_at, deadline, version, correlation_id, trace)
			VALUES ($1, 'ada', 'pending', $2, NULL, 1, 'r', '')`
		data = `{"order_id":%q,"version":1,"at":"2026-01-02T12:00:00Z","customer_id":"ada","currency":"EUR","total":6}`
	)
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, step := range []struct {
			tables fs.FS
			id     string
		}{{before, "o-1"}, {store.Migrations(), "o-2"}, {before, "o-3"}} {
			if err := sqldb.Migrate(t.Context(), db, step.tables, "service"); err != nil {
				t.Fatal(err)
			}
			exec(t, db, stored, step.id, fmt.Sprintf(data, step.id), noon)
			exec(t, db, listed, step.id, noon)
		}
		if diff := cmp.Diff(folded(t, db, "o-3", "o-2", "o-1"), list(t, db), bookkeeping); diff != "" {
			t.Errorf("listed (-folded +listed):\n%s", diff)
		}
		must(t, db, order.Cancel{OrderID: "o-1", At: noon})
		if diff := cmp.Diff(folded(t, db, "o-3", "o-2", "o-1"), list(t, db), bookkeeping); diff != "" {
			t.Errorf("after a change (-folded +listed):\n%s", diff)
		}
	})
}
