package store_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/store"
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
		fn(t, db)
	})
}

// handle loads for messages, decides them and saves, as the unit of work does, and returns the state saved.
func handle(ctx context.Context, db *sqldb.DB, messages ...stock.Message) (s *stock.Stock, err error) {
	err = db.Tx(ctx, func(tx *sqldb.Tx) error {
		if s, err = store.Load(ctx, tx, messages); err != nil {
			return err
		}
		var facts []work.Fact[stock.Event]
		for _, m := range messages {
			events, err := m.Decide(s)
			if err != nil {
				return err
			}
			for _, e := range events {
				facts = append(facts, work.Fact[stock.Event]{ID: "event", Event: e})
			}
		}
		return store.Save(ctx, tx, s, facts)
	})
	return s, err
}

func must(t *testing.T, db *sqldb.DB, messages ...stock.Message) *stock.Stock {
	t.Helper()
	s, err := handle(t.Context(), db, messages...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stocked(t *testing.T, db *sqldb.DB) {
	t.Helper()
	must(t, db,
		stock.PutProduct{SKU: "tea", Name: "Tea ☕", Price: 899, Currency: "EUR", At: noon, RepublishAfter: time.Minute},
		stock.Restock{SKU: "tea", Quantity: 10, At: noon},
		stock.PutProduct{SKU: "cup", Name: "Cup", Price: 1450, Currency: "EUR", At: noon},
		stock.Restock{SKU: "cup", Quantity: 10, At: noon})
}

func load(t *testing.T, db *sqldb.DB, messages ...stock.Message) (s *stock.Stock) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx *sqldb.Tx) (err error) {
		s, err = store.Load(t.Context(), tx, messages)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatWasSavedIsLoaded(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		stocked(t, db)
		placed := stock.OrderPlaced{OrderID: "o-1", At: noon, Lines: []stock.Line{{SKU: "tea", Quantity: 2}, {SKU: "cup", Quantity: 1}}}
		saved := must(t, db, placed)
		for _, p := range saved.Products {
			p.Stored = p.Version
		}
		for _, r := range saved.Reservations {
			r.Stored = r.Version
		}
		// The reservation's own lines bring their products along.
		got := load(t, db, stock.OrderConfirmed{OrderID: "o-1"})
		if diff := cmp.Diff(saved, got); diff != "" {
			t.Errorf("loaded differs (-saved +loaded):\n%s", diff)
		}
		after := must(t, db, stock.OrderConfirmed{OrderID: "o-1", At: noon}, stock.OrderCancelled{OrderID: "o-1", At: noon})
		if p := after.Products["tea"]; p.Available != 10 || p.Reserved != 0 || p.Sold != 0 {
			t.Errorf("after a cancellation tea is %+v", p)
		}
	})
}

func TestMovementsSumUpToTheLevels(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		stocked(t, db)
		must(t, db, stock.OrderPlaced{OrderID: "o-1", At: noon, Lines: []stock.Line{{SKU: "tea", Quantity: 3}}})
		must(t, db, stock.OrderConfirmed{OrderID: "o-1", At: noon})
		must(t, db, stock.OrderPlaced{OrderID: "o-2", At: noon, Lines: []stock.Line{{SKU: "tea", Quantity: 4}}})
		type sum struct {
			Kind     stock.Kind `db:"kind"`
			Quantity int64      `db:"quantity"`
		}
		var sums []sum
		err := db.Read(t.Context(), func(tx *sqldb.Tx) (err error) {
			sums, err = sqldb.Select[sum](t.Context(), tx, `SELECT kind, CAST(sum(quantity) AS BIGINT) AS quantity FROM movements
				WHERE sku = 'tea' GROUP BY kind ORDER BY kind`)
			return err
		})
		want := []sum{{stock.KindCommitted, 3}, {stock.KindReserved, 7}, {stock.KindRestocked, 10}}
		if diff := cmp.Diff(want, sums); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestARowThatAnotherChangedIsAConflict(t *testing.T) {
	tests := map[string]stock.Message{
		"a product":         stock.Restock{SKU: "tea", Quantity: 1, At: noon},
		"a reservation":     stock.OrderConfirmed{OrderID: "o-1", At: noon},
		"a new reservation": stock.OrderPlaced{OrderID: "o-2", At: noon, Lines: []stock.Line{{SKU: "tea", Quantity: 1}}},
		"a new product":     stock.PutProduct{SKU: "pot", Name: "Pot", Price: 1, Currency: "EUR", At: noon},
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *sqldb.DB) {
				stocked(t, db)
				must(t, db, stock.OrderPlaced{OrderID: "o-1", At: noon, Lines: []stock.Line{{SKU: "cup", Quantity: 1}}})
				stale := load(t, db, m)
				must(t, db, m)
				if _, err := m.Decide(stale); err != nil {
					t.Fatal(err)
				}
				err := db.Tx(t.Context(), func(tx *sqldb.Tx) error { return store.Save(t.Context(), tx, stale, nil) })
				if !errors.Is(err, work.ErrConflict) && !sqldb.IsDuplicate(err) {
					t.Errorf("G4: a save from a stale version: %v, want a conflict", err)
				}
			})
		})
	}
}

func TestProductsAreListedInPagesBySKU(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, sku := range []string{"b", "B", "a", "c"} {
			must(t, db, stock.PutProduct{SKU: sku, Name: sku, Price: 1, Currency: "EUR", At: noon})
		}
		var got []string
		for after := ""; ; {
			page, err := store.Products(t.Context(), db, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, p := range page {
				got = append(got, p.SKU)
			}
			after = page[len(page)-1].SKU
		}
		if diff := cmp.Diff([]string{"B", "a", "b", "c"}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if _, err := store.Product(t.Context(), db, "d"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown product: %v", err)
		}
		if _, err := store.Reservation(t.Context(), db, "o-9"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown reservation: %v", err)
		}
	})
}

func TestAProductIsRepublishedOnceAfterItsChange(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		stocked(t, db) // tea is to be republished a minute later, cup never
		due := func(at time.Time) []work.Message[stock.Message] {
			t.Helper()
			due, err := store.Due(t.Context(), db, at, 10)
			if err != nil {
				t.Fatal(err)
			}
			return due
		}
		if early := due(noon.Add(59 * time.Second)); len(early) != 0 {
			t.Errorf("due early: %+v", early)
		}
		now := due(noon.Add(time.Minute))
		if len(now) != 1 || now[0].ID != "republish/tea/1" || now[0].Scope != work.ScopeTimer {
			t.Fatalf("due: %+v", now)
		}
		if s := must(t, db, now[0].Input); s.Products["tea"].Published != 3 {
			t.Errorf("published as version %d, want 3: after the restock", s.Products["tea"].Published)
		}
		if again := due(noon.Add(time.Hour)); len(again) != 0 {
			t.Errorf("due again: %+v", again)
		}
	})
}
