package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 123_000, time.UTC)

func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, tables := range map[string]fs.FS{"work": work.Migrations(), "service": store.Migrations()} {
			if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := handle(t.Context(), db, tea); err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	})
}

var tea = order.ProductUpdated{SKU: "tea", Name: "Tea ☕", Price: 899, Currency: "EUR", Version: 3}

func place(id, customer string, at time.Time) order.Place {
	return order.Place{
		OrderID: id, CustomerID: customer, Email: "ada@example.com", PaymentMethod: "tok_visa",
		Lines: []order.Item{{SKU: "tea", Quantity: 2}}, At: at, Timeout: time.Minute,
	}
}

// saver keeps snapshots so early that every test meets them.
var saver = store.Saver{SnapshotEvery: 2}

// handle loads for messages, decides them and saves, as the unit of work does, and returns the state saved.
func handle(ctx context.Context, db *sqldb.DB, messages ...order.Message) (*order.Book, error) {
	return handleBy(ctx, db, saver, messages...)
}

func handleBy(ctx context.Context, db *sqldb.DB, saver store.Saver, messages ...order.Message) (b *order.Book, err error) {
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		if b, err = store.Load(ctx, tx, messages); err != nil {
			return err
		}
		var facts []work.Fact[order.Event]
		for i, m := range messages {
			events, err := m.Decide(b)
			if err != nil {
				return err
			}
			for n, e := range events {
				facts = append(facts, work.Fact[order.Event]{
					ID: fmt.Sprintf("event-%d-%d", i, n), Event: e,
					Cause: event.Cause{ID: "cause", Correlation: "correlation", Trace: "trace"},
				})
			}
		}
		return saver.Save(ctx, tx, b, facts)
	})
	return b, err
}

func must(t *testing.T, db *sqldb.DB, messages ...order.Message) *order.Book {
	t.Helper()
	b, err := handle(t.Context(), db, messages...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t *testing.T, db *sqldb.DB, m order.Message) (b *order.Book) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) (err error) {
		b, err = store.Load(t.Context(), tx, []order.Message{m})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnOrderIsTheFoldOfItsStoredEvents(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		must(t, db, place("o-1", "ada", noon))
		saved := must(t, db,
			order.Answered{OrderID: "o-1", At: noon.Add(time.Second), Answer: order.StockReserved{}},
			order.Answered{OrderID: "o-1", At: noon.Add(2 * time.Second), Answer: order.PaymentAuthorized{Amount: 1798, Currency: "EUR"}})
		saved.Orders["o-1"].Stored, saved.Orders["o-1"].Snapshot = 4, 4
		if diff := cmp.Diff(saved, load(t, db, order.Cancel{OrderID: "o-1"})); diff != "" {
			t.Errorf("loaded differs (-saved +loaded):\n%s", diff)
		}
		recorded, err := store.Events(t.Context(), db, "o-1")
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, r := range recorded {
			types = append(types, r.Event.Type())
			if r.CausationID != "cause" || r.CorrelationID != "correlation" || r.ID == "" {
				t.Errorf("recorded as %+v", r)
			}
		}
		want := []string{"OrderPlaced", "StockReserved", "PaymentAuthorized", "OrderConfirmed"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTimeTravel(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		must(t, db, place("o-1", "ada", noon))
		must(t, db, order.Answered{OrderID: "o-1", At: noon.Add(time.Second), Answer: order.StockReserved{}})
		must(t, db, order.Cancel{OrderID: "o-1", At: noon.Add(time.Minute)})
		tests := map[string]struct {
			until   store.Until
			version int64 // 0: not found
		}{
			"now":                  {store.Until{}, 3},
			"at the first version": {store.Until{Version: 1}, 1},
			"at the last version":  {store.Until{Version: 3}, 3},
			"at a version to come": {store.Until{Version: 4}, 0},
			"before it was placed": {store.Until{At: noon.Add(-time.Microsecond)}, 0},
			"at the very instant":  {store.Until{At: noon.Add(time.Second)}, 2},
			"just before":          {store.Until{At: noon.Add(time.Second - time.Microsecond)}, 1},
			"long after":           {store.Until{At: noon.Add(time.Hour)}, 3},
		}
		for name, tt := range tests {
			o, err := store.Order(t.Context(), db, "o-1", tt.until)
			switch {
			case tt.version == 0 && !errors.Is(err, store.ErrNotFound):
				t.Errorf("%s: %v, %v; want not found", name, o, err)
			case tt.version > 0 && (err != nil || o.Version != tt.version):
				t.Errorf("%s: %v, %v; want version %d", name, o, err, tt.version)
			}
		}
	})
}

func TestAStreamThatAnotherExtendedIsAConflict(t *testing.T) {
	tests := map[string]order.Message{
		"a known order": order.Answered{OrderID: "o-1", At: noon, Answer: order.StockReserved{}},
		"a new order":   place("o-2", "ada", noon),
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *sqldb.DB) {
				must(t, db, place("o-1", "ada", noon))
				stale := load(t, db, m)
				must(t, db, m)
				events, err := m.Decide(stale)
				if err != nil {
					t.Fatal(err)
				}
				facts := []work.Fact[order.Event]{{ID: "late", Event: events[0]}}
				err = db.Tx(t.Context(), func(tx *sqldb.Tx) error { return saver.Save(t.Context(), tx, stale, facts) })
				if !errors.Is(err, work.ErrConflict) && !sqldb.IsDuplicate(err) {
					t.Errorf("a save from a stale version: %v, want a conflict", err)
				}
			})
		})
	}
}

func TestTheNewerProductWins(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		stale := load(t, db, tea)
		dearer := tea
		dearer.Version, dearer.Price = 5, 999
		must(t, db, dearer)
		old := tea
		old.Version, old.Price = 4, 1
		if _, err := old.Decide(stale); err != nil { // it has seen neither
			t.Fatal(err)
		}
		if err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { return saver.Save(t.Context(), tx, stale, nil) }); err != nil {
			t.Fatal(err)
		}
		check := func(want int) {
			t.Helper()
			products, err := store.Products(t.Context(), db, "", 10)
			if err != nil || len(products) != want || want > 0 && (products[0].Price != 999 || products[0].Version != 5) {
				t.Errorf("G2: the older product wins: %+v, %v", products, err)
			}
		}
		check(1)
		must(t, db, order.ProductWithdrawn{SKU: "tea", Version: 6})
		check(0)
		must(t, db, dearer) // a late duplicate does not revive it
		check(0)
	})
}

func TestOrdersAreListedNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for i := range 5 {
			at := noon.Add(time.Duration(i/2) * time.Second) // pairs placed at one instant
			must(t, db, place(fmt.Sprintf("o-%d", i), []string{"ada", "bob"}[i%2], at))
		}
		must(t, db, order.Cancel{OrderID: "o-3", At: noon.Add(time.Minute)})
		list := func(f store.Filter) (ids []string) {
			t.Helper()
			for {
				page, err := store.Orders(t.Context(), db, f)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					return ids
				}
				for _, o := range page {
					ids = append(ids, o.ID)
				}
				last := page[len(page)-1]
				f.Before = store.Position{PlacedAt: last.PlacedAt, OrderID: last.ID}
			}
		}
		tests := map[string]struct {
			filter store.Filter
			want   []string
		}{
			"all":         {store.Filter{Limit: 2}, []string{"o-4", "o-3", "o-2", "o-1", "o-0"}},
			"by customer": {store.Filter{Limit: 1, CustomerID: "ada"}, []string{"o-4", "o-2", "o-0"}},
			"by status":   {store.Filter{Limit: 9, Status: order.StatusCancelled}, []string{"o-3"}},
			"by both":     {store.Filter{Limit: 9, CustomerID: "ada", Status: order.StatusCancelled}, nil},
		}
		for name, tt := range tests {
			if diff := cmp.Diff(tt.want, list(tt.filter)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestPendingOrdersFallDueAndOthersDoNot(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		must(t, db, place("o-1", "ada", noon), place("o-2", "ada", noon), place("o-3", "ada", noon.Add(time.Hour)))
		must(t, db, order.Cancel{OrderID: "o-2", At: noon})
		if early, err := store.Due(t.Context(), db, noon.Add(time.Minute-time.Microsecond), 10); err != nil || len(early) != 0 {
			t.Errorf("due early: %+v, %v", early, err)
		}
		due, err := store.Due(t.Context(), db, noon.Add(time.Minute), 10)
		if err != nil || len(due) != 1 || due[0].ID != "timeout/o-1" || due[0].Cause.Correlation != "correlation" ||
			due[0].Cause.Trace != "trace" {
			t.Fatalf("G6: the pending order does not fall due: %+v, %v", due, err)
		}
		if b := must(t, db, due[0].Input); b.Orders["o-1"].Reason != order.ReasonTimedOut {
			t.Errorf("after its time: %+v", b.Orders["o-1"])
		}
		settled, err := store.Settled(t.Context(), db, []string{"o-1", "o-2", "o-3", "o-9"})
		if diff := cmp.Diff(map[string]bool{"o-1": true, "o-2": true}, set(settled)); err != nil || diff != "" {
			t.Errorf("settled: %v (-want +got):\n%s", err, diff)
		}
	})
}

func set(ids []string) map[string]bool {
	set := make(map[string]bool)
	for _, id := range ids {
		set[id] = true
	}
	return set
}
