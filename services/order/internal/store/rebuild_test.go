package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/eventstore"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/readmodel"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// patience bounds every wait. It is no expectation.
const patience = time.Minute

// watched is the source of the orders, and tells how far it is read.
type watched struct {
	projection.Streams[*order.Order]
	// before is called before each batch is read, with the number of those before it; read when it was read and its
	// rows are not yet written.
	before func(batch int)
	read   func([]eventstore.Stream[*order.Order])
}

func (w watched) Open(ctx context.Context, db *sqldb.DB, position string) (
	projection.Cursor[eventstore.Stream[*order.Order]], error) {
	cursor, err := w.Streams.Open(ctx, db, position)
	return &watchedCursor{Cursor: cursor, watched: w}, err
}

type watchedCursor struct {
	projection.Cursor[eventstore.Stream[*order.Order]]
	watched
	batch int
}

func (w *watchedCursor) Next(ctx context.Context, limit int) ([]eventstore.Stream[*order.Order], string, error) {
	if w.before != nil {
		w.before(w.batch)
	}
	w.batch++
	found, position, err := w.Cursor.Next(ctx, limit)
	if w.read != nil {
		w.read(found)
	}
	return found, position, err
}

// rebuilder of the orders in batches of so many.
func rebuilder(db *sqldb.DB, batch int, w watched) *projection.Rebuilder {
	w.Streams = projection.Streams[*order.Order]{Store: store.Streams()}
	return projection.NewRebuilder(db, projection.Config{
		Models: []projection.Rebuildable{
			projection.Of(readmodel.Orders, w, readmodel.ProjectOrders, readmodel.UpsertOrders),
		},
		Batch: batch, Logger: slog.New(slog.DiscardHandler),
	})
}

// rebuild has the orders rebuilt and waits for the end.
func rebuild(t *testing.T, db *sqldb.DB, batch int, w watched) projection.Status {
	t.Helper()
	r := rebuilder(db, batch, w)
	if _, err := r.Start(t.Context(), "orders", "ada"); err != nil {
		t.Fatal(err)
	}
	return await(t, r, r.Run)
}

// await runs a rebuilder until its rebuild has ended.
func await(t *testing.T, r *projection.Rebuilder, run func(context.Context) error) (s projection.Status) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	for !s.Phase.Ended() {
		var err error
		if s, err = r.Status(ctx, "orders"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.Phase != projection.PhaseDone {
		t.Fatalf("the rebuild has ended as %+v", s)
	}
	return s
}

type wholeRow struct {
	readmodel.OrderRow
	CorrelationID string `db:"correlation_id"`
	Placed        string `db:"placed"`
	Trace         string `db:"trace"`
	Of            int64  `db:"progress_version"`
	OpenOf        int64  `db:"open_version"`
}

// served returns the rows of the table that is served, and the number of rows in the other.
func served(t *testing.T, db *sqldb.DB) (rows map[string]wholeRow, others int64) {
	t.Helper()
	rows = make(map[string]wholeRow)
	err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
		at, err := projection.Find(t.Context(), tx, readmodel.Orders)
		if err != nil {
			return err
		}
		all, err := sqldb.Select[wholeRow](t.Context(), tx, `SELECT * FROM `+at[0].Active)
		if err != nil {
			return err
		}
		for _, row := range all {
			rows[row.OrderID] = row
		}
		other := readmodel.Orders.Tables[0]
		if at[0].Active == other {
			other = readmodel.Orders.Tables[1]
		}
		others, err = sqldb.Get[int64](t.Context(), tx, `SELECT count(*) FROM `+other)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows, others
}

// ofEvents returns the rows that the events say.
func ofEvents(t *testing.T, db *sqldb.DB) map[string]wholeRow {
	t.Helper()
	rows := make(map[string]wholeRow)
	err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
		ids, err := sqldb.Select[string](t.Context(), tx, `SELECT order_id FROM order_events WHERE version = 1`)
		if err != nil {
			return err
		}
		for _, id := range ids {
			history, err := store.Streams().History(t.Context(), tx, id)
			if err != nil {
				return err
			}
			o := &order.Order{ID: id}
			for _, stored := range history {
				e, err := order.Decode(stored.Type, []byte(stored.Data))
				if err != nil {
					return err
				}
				o.Apply(e)
			}
			row, err := readmodel.RowOf(o)
			if err != nil {
				return err
			}
			rows[id] = wholeRow{
				OrderRow: row, CorrelationID: history[0].CorrelationID, Placed: history[0].Data, Trace: "trace",
				Of: o.Version, OpenOf: o.Version,
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// rightly checks that what is served is what the events say, but for the traces of orders that had lost theirs.
func rightly(t *testing.T, db *sqldb.DB, when string, untraced ...string) {
	t.Helper()
	want := ofEvents(t, db)
	for _, id := range untraced {
		row := want[id]
		row.Trace = ""
		want[id] = row
	}
	got, others := served(t, db)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("G10: %s the table is not what the events say (-events +table):\n%s", when, diff)
	}
	if others != 0 {
		t.Errorf("%s %d rows are left in the other table", when, others)
	}
}

func several(t *testing.T, db *sqldb.DB, n int) (ids []string) {
	t.Helper()
	var messages []order.Message
	for i := range n {
		id := fmt.Sprintf("o-%03d", i)
		ids = append(ids, id)
		messages = append(messages, place(id, "ada", noon.Add(time.Duration(i)*time.Second)))
	}
	must(t, db, messages...)
	for i, id := range ids {
		switch i % 4 {
		case 1:
			must(t, db, answered(id, 100, order.StockReserved{}))
		case 2:
			must(t, db, order.Cancel{OrderID: id, Detail: "no", At: noon.Add(time.Hour)},
				answered(id, 4000, order.StockReleased{}), answered(id, 4001, order.PaymentVoided{Currency: "EUR"}))
		}
	}
	return ids
}

func TestARebuildRepairsWhatWasLostOrGarbled(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		several(t, db, 23)
		rightly(t, db, "before,")
		exec(t, db, `DELETE FROM orders WHERE order_id < 'o-003'`)
		exec(t, db, `UPDATE orders SET status = 'pending', version = 999, customer_id = 'eve', progress = 'nonsense'
			WHERE order_id > 'o-020'`)
		exec(t, db, `INSERT INTO orders (order_id, customer_id, status, placed_at, version, correlation_id, trace)
			VALUES ('o-stray', 'nobody', 'pending', $1, 1, 'c', 't')`, noon)
		for _, round := range []string{"rebuilt,", "rebuilt once more,"} {
			s := rebuild(t, db, 5, watched{})
			if s.Done != 23 || s.Total != 23 || s.Operator != "ada" {
				t.Errorf("ended as %+v", s)
			}
			rightly(t, db, round, "o-000", "o-001", "o-002")
		}
		must(t, db, order.Cancel{OrderID: "o-001", At: noon.Add(time.Hour)}, place("o-new", "bob", noon))
		rightly(t, db, "in use again,", "o-000", "o-001", "o-002")
	})
}

// The bug that this is about: the new table is filled and swapped for the old one, which alone was written meanwhile.
func TestNoChangeIsLostWhileATableIsRebuilt(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		ids := several(t, db, 6)
		changes := 0
		rebuild(t, db, 2, watched{
			before: func(batch int) { // the last time, all is written
				changes++
				must(t, db, place(fmt.Sprintf("o-a-%d", batch), "ada", noon), answered(ids[batch%len(ids)], 9000, order.StockReserved{}))
			},
			read: func(found []eventstore.Stream[*order.Order]) {
				for _, s := range found {
					changes++
					must(t, db, order.Cancel{OrderID: s.ID, At: noon.Add(3 * time.Hour)}, place("a-"+s.ID, "ada", noon))
				}
			},
		})
		if changes < 8 {
			t.Fatalf("%d changes, which is too few to tell", changes)
		}
		rightly(t, db, fmt.Sprintf("after %d changes during a rebuild,", changes))
	})
}

// Three writers change orders for as long as two rebuilds take, each of which is cut off several times.
func TestARebuildUnderLoadThatIsCutOffEndsWell(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		ids := several(t, db, 120)
		ctx, stop := context.WithCancel(t.Context())
		var writers sync.WaitGroup
		for w := range 3 {
			writers.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					id := fmt.Sprintf("o-%d-%d", w, n)
					write(t, db, place(id, "bob", noon))
					write(t, db, answered(ids[(n*7+w)%len(ids)], 5000+n, order.StockReserved{}),
						order.Cancel{OrderID: ids[(n*5+w)%len(ids)], At: noon.Add(time.Hour)})
					write(t, db, answered(id, 10, order.PaymentAuthorized{}))
				}
			})
		}
		defer writers.Wait()
		defer stop()
		for round := range 2 {
			cuts := 0
			r := rebuilder(db, 10, watched{})
			if _, err := r.Start(t.Context(), "orders", "ada"); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Start(t.Context(), "orders", "bob"); !errors.Is(err, projection.ErrRunning) {
				t.Errorf("a second one: %v", err)
			}
			for cuts < 3 {
				running, cut := context.WithCancel(t.Context())
				dying := rebuilder(db, 10, watched{before: func(batch int) {
					if batch == 2+cuts {
						cut()
					}
				}})
				if err := dying.Run(running); err != nil {
					t.Error(err)
				}
				cuts++
				if s, err := r.Status(t.Context(), "orders"); err != nil || s.Phase != projection.PhaseFilling || s.Done == 0 {
					t.Fatalf("round %d, cut off %d times: %+v, %v", round, cuts, s, err)
				}
			}
			// Two replicas find it.
			other := rebuilder(db, 10, watched{})
			await(t, r, func(ctx context.Context) error {
				var both sync.WaitGroup
				both.Go(func() { _ = other.Run(ctx) })
				defer both.Wait()
				return r.Run(ctx)
			})
		}
		stop()
		writers.Wait()
		rightly(t, db, "after two rebuilds under load,")
	})
}

// write writes until nobody was there first.
func write(t *testing.T, db *sqldb.DB, messages ...order.Message) {
	for {
		_, err := handle(t.Context(), db, messages...)
		if !sqldb.IsDuplicate(err) && !errors.Is(err, work.ErrConflict) && !sqldb.IsUnavailable(err) {
			if err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
			return
		}
	}
}

// A writer that came before the rebuild does not know of the second table, and commits when the orders were counted.
func TestARebuildWaitsForWritersUnderWay(t *testing.T) {
	db := sqltest.Postgres(t) // on SQLite the writer is alone
	if err := sqldb.Migrate(t.Context(), db, store.Migrations(), "service"); err != nil {
		t.Fatal(err)
	}
	must(t, db, tea)
	r := rebuilder(db, 10, watched{})
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
		m := place("o-1", "ada", noon)
		b, err := store.Load(t.Context(), tx, []order.Message{m})
		if err != nil {
			return err
		}
		if _, err := r.Start(t.Context(), "orders", "ada"); err != nil {
			return err
		}
		ctx, stop := context.WithTimeout(t.Context(), patience)
		var running sync.WaitGroup
		running.Go(func() { _ = r.Run(ctx) })
		defer running.Wait()
		defer stop()
		for waits := false; !waits; {
			err := db.Read(ctx, func(tx *sqldb.Tx) (err error) {
				waits, err = sqldb.Get[bool](ctx, tx, `SELECT count(*) > 0 FROM pg_locks WHERE NOT granted`)
				return err
			})
			if err != nil {
				return err
			}
			if s, err := r.Status(ctx, "orders"); err != nil || s.Phase != projection.PhaseClearing {
				return errors.Join(err, fmt.Errorf("G10: it did not wait: %+v", s))
			}
		}
		events, err := m.Decide(b)
		if err != nil {
			return err
		}
		cause := event.Cause{ID: "cause", Correlation: "correlation", Trace: "trace"}
		return saver.Save(ctx, tx, b, []work.Fact[order.Event]{{ID: "event", Event: events[0], Cause: cause}})
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, r, r.Run)
	rightly(t, db, "after a writer that was under way,")
}

// A rebuild may read a product and that it was withdrawn in two batches: the second does not know the first.
func TestAWithdrawnProductKeepsItsNameAndPrice(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, test := range []struct {
			when string
			row  readmodel.ProductRow
			want readmodel.ProductRow
		}{
			{"not knowing it", readmodel.ProductRow{SKU: "tea", Version: 6, Withdrawn: true}, readmodel.ProductRow{
				SKU: "tea", Name: tea.Name, Price: tea.Price, Currency: tea.Currency, Version: 6, Withdrawn: true,
			}},
			{"knowing a newer one", readmodel.ProductRow{
				SKU: "tea", Price: 1, Currency: "USD", Version: 8, Withdrawn: true,
			}, readmodel.ProductRow{SKU: "tea", Price: 1, Currency: "USD", Version: 8, Withdrawn: true}},
		} {
			var got readmodel.ProductRow
			err := db.Tx(t.Context(), func(tx *sqldb.Tx) error {
				rows := []readmodel.ProductRow{test.row}
				if _, err := tx.With(rows).Exec(t.Context(), readmodel.UpsertProducts("catalogue")); err != nil {
					return err
				}
				var err error
				got, err = sqldb.Get[readmodel.ProductRow](t.Context(), tx, `SELECT * FROM catalogue`)
				return err
			})
			if err != nil || got != test.want {
				t.Errorf("%s: %+v, %v; want %+v", test.when, got, err, test.want)
			}
		}
	})
}

func TestProductsAreWrittenToBothTables(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		exec(t, db, `UPDATE projections SET building = 2 WHERE model = 'catalogue'`)
		dearer := tea
		dearer.Version, dearer.Price = 5, 999
		must(t, db, dearer, order.ProductUpdated{SKU: "cup", Name: "Cup", Price: 5, Currency: "EUR", Version: 1})
		old := tea
		old.Version = 4
		must(t, db, old)
		err := db.Read(t.Context(), func(tx *sqldb.Tx) error {
			for _, table := range readmodel.Catalogue.Tables {
				rows, err := sqldb.Select[readmodel.ProductRow](t.Context(), tx, `SELECT * FROM `+table+` ORDER BY sku`)
				if err != nil {
					return err
				}
				if len(rows) != 2 || rows[0].SKU != "cup" || rows[1].Version != 5 || rows[1].Price != 999 {
					t.Errorf("%s holds %+v", table, rows)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, `UPDATE catalogue SET name = 'of the old table'`)
		exec(t, db, `UPDATE projections SET active = 2, building = 0 WHERE model = 'catalogue'`)
		products, err := store.Products(t.Context(), db, "", 10)
		names := []string{products[0].Name, products[1].Name}
		if err != nil || !slices.Equal(names, []string{"Cup", tea.Name}) {
			t.Errorf("products %q, %v", names, err)
		}
	})
}
