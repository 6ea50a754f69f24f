package stock_test

import (
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

// tb is what *testing.T and *rapid.T share.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func clone(s *stock.Stock) *stock.Stock {
	c := &stock.Stock{}
	if s.Products != nil {
		c.Products = make(map[string]*stock.Product, len(s.Products))
	}
	if s.Reservations != nil {
		c.Reservations = make(map[string]*stock.Reservation, len(s.Reservations))
	}
	for sku, p := range s.Products {
		copied := *p
		c.Products[sku] = &copied
	}
	for id, r := range s.Reservations {
		copied := *r
		copied.Lines = slices.Clone(r.Lines)
		c.Reservations[id] = &copied
	}
	return c
}

// step decides one message and checks all that must hold of every step, whatever the message.
func step(t tb, s *stock.Stock, m stock.Message) ([]stock.Event, error) {
	t.Helper()
	before := clone(s)
	rerun := clone(s)
	events, err := m.Decide(s)
	if err != nil {
		if len(events) > 0 {
			t.Fatalf("%#v: events %v beside the error %v", m, events, err)
		}
		if diff := cmp.Diff(before, s); diff != "" {
			t.Fatalf("%#v: the error %v left a change (-before +after):\n%s", m, err, diff)
		}
		return nil, err
	}
	again, _ := m.Decide(rerun)
	if diff := cmp.Diff([]any{events, s}, []any{again, rerun}); diff != "" {
		t.Fatalf("%#v: a rerun decides otherwise:\n%s", m, diff)
	}
	checkNeeds(t, before, s, m)
	checkLevels(t, s)
	checkMovements(t, before, s, events)
	checkVersions(t, before, s, m, events)
	return events, nil
}

// checkNeeds: nothing changes but what the message, or the lines of a reservation that it names, asked to load.
func checkNeeds(t tb, before, after *stock.Stock, m stock.Message) {
	t.Helper()
	needs := m.Needs()
	skus := slices.Clone(needs.SKUs)
	for _, id := range needs.Orders {
		if r := after.Reservations[id]; r != nil {
			for _, l := range r.Lines {
				skus = append(skus, l.SKU)
			}
		}
	}
	for sku, p := range after.Products {
		if !cmp.Equal(before.Products[sku], p) && !slices.Contains(skus, sku) {
			t.Fatalf("%#v: changed product %s, which it does not need", m, sku)
		}
	}
	for id, r := range after.Reservations {
		if !cmp.Equal(before.Reservations[id], r) && !slices.Contains(needs.Orders, id) {
			t.Fatalf("%#v: changed reservation %s, which it does not need", m, id)
		}
	}
}

// checkVersions: a version rises by one an event of its own, a reservation's also for a change without an event, a
// product's also with every movement of its levels, and never otherwise.
func checkVersions(t tb, before, after *stock.Stock, m stock.Message, events []stock.Event) {
	t.Helper()
	last := make(map[string]int64) // of the events, by stream
	for id, r := range before.Reservations {
		last["order "+id] = r.Version
	}
	for sku, p := range before.Products {
		last["sku "+sku] = p.Version
	}
	raised := make(map[string]bool)
	for _, e := range events {
		stream, version, happened := head(e)
		if version != last[stream]+1 {
			t.Fatalf("%#v: event %#v of %s follows version %d", m, e, stream, last[stream])
		}
		if happened.IsZero() {
			t.Fatalf("%#v: event %#v has no time", m, e)
		}
		last[stream], raised[stream] = version, true
	}
	for _, e := range events {
		for _, moved := range stock.Movements(e) {
			if moved.OrderID != "" {
				last["sku "+moved.SKU]++
			}
		}
	}
	check := func(stream string, want, version int64, stored bool, earlier, later time.Time) {
		if version != want {
			t.Fatalf("%#v: version of %s is %d, want %d", m, stream, version, want)
		}
		if !stored {
			t.Fatalf("%#v: touched Stored of %s", m, stream)
		}
		if later.Before(earlier) {
			t.Fatalf("%#v: time of %s went back from %v to %v", m, stream, earlier, later)
		}
	}
	for id, r := range after.Reservations {
		old := stock.Reservation{}
		if b := before.Reservations[id]; b != nil {
			old = *b
		}
		want := last["order "+id]
		if !raised["order "+id] && !cmp.Equal(old, *r) {
			if cmp.Equal(old, *r, cmpopts.IgnoreFields(old, "Version", "UpdatedAt")) {
				t.Fatalf("%#v: raised the version of reservation %s for no change", m, id)
			}
			want++
		}
		check("order "+id, want, r.Version, old.Stored == r.Stored, old.UpdatedAt, r.UpdatedAt)
	}
	for sku, p := range after.Products {
		old := stock.Product{}
		if b := before.Products[sku]; b != nil {
			old = *b
		}
		want := last["sku "+sku]
		if want == old.Version && !cmp.Equal(old, *p) {
			t.Fatalf("%#v: changed product %s without raising its version", m, sku)
		}
		check("sku "+sku, want, p.Version, old.Stored == p.Stored, old.UpdatedAt, p.UpdatedAt)
	}
}

func head(e stock.Event) (stream string, version int64, happened time.Time) {
	switch e := e.(type) {
	case stock.Reserved:
		return "order " + e.OrderID, e.Version, e.At
	case stock.ReservationFailed:
		return "order " + e.OrderID, e.Version, e.At
	case stock.Committed:
		return "order " + e.OrderID, e.Version, e.At
	case stock.Released:
		return "order " + e.OrderID, e.Version, e.At
	case stock.ProductUpdated:
		return "sku " + e.SKU, e.Version, e.At
	case stock.Restocked:
		return "sku " + e.SKU, e.Version, e.At
	}
	return "", 0, time.Time{}
}

// checkLevels: no level is negative, and what is reserved and sold is exactly what the reservations hold, all lines of
// each or none.
func checkLevels(t tb, s *stock.Stock) {
	t.Helper()
	reserved, sold := make(map[string]int64), make(map[string]int64)
	for _, r := range s.Reservations {
		for _, l := range r.Lines {
			switch r.Status {
			case stock.StatusReserved:
				reserved[l.SKU] += l.Quantity
			case stock.StatusCommitted:
				sold[l.SKU] += l.Quantity
			}
		}
	}
	for sku, p := range s.Products {
		if p.Available < 0 || p.Reserved < 0 || p.Sold < 0 {
			t.Fatalf("G4: a level of %s is negative: %+v", sku, *p)
		}
		if p.Reserved != reserved[sku] || p.Sold != sold[sku] {
			t.Fatalf("G4: the levels are not what the reservations hold: %s has %d reserved and %d sold, held are %d and %d",
				sku, p.Reserved, p.Sold, reserved[sku], sold[sku])
		}
	}
}

// checkMovements: levels before + the movements of the events = levels after; what came in is the only change of the
// sum. Big integers, so that an overflow cannot hide itself.
func checkMovements(t tb, before, after *stock.Stock, events []stock.Event) {
	t.Helper()
	type levels struct{ available, reserved, sold, sum int64 }
	want := make(map[string]levels)
	for sku, p := range before.Products {
		want[sku] = levels{p.Available, p.Reserved, p.Sold, p.Available + p.Reserved + p.Sold}
	}
	for _, e := range events {
		for _, m := range stock.Movements(e) {
			l := want[m.SKU]
			switch m.Kind {
			case stock.KindRestocked:
				l.available += m.Quantity
				l.sum += m.Quantity
			case stock.KindReserved:
				l.available -= m.Quantity
				l.reserved += m.Quantity
			case stock.KindCommitted:
				l.reserved -= m.Quantity
				l.sold += m.Quantity
			case stock.KindReleased:
				l.reserved -= m.Quantity
				l.available += m.Quantity
			case stock.KindReturned:
				l.sold -= m.Quantity
				l.available += m.Quantity
			default:
				t.Fatalf("movement of unknown kind %q", m.Kind)
			}
			want[m.SKU] = l
		}
	}
	for _, sku := range slices.Sorted(maps.Keys(after.Products)) {
		p := after.Products[sku]
		l := want[sku]
		if p.Available != l.available || p.Reserved != l.reserved || p.Sold != l.sold {
			t.Fatalf("G4: %s has %d/%d/%d; its movements give %+v", sku, p.Available, p.Reserved, p.Sold, l)
		}
		sum := new(big.Int).Add(big.NewInt(p.Available), big.NewInt(p.Reserved))
		sum.Add(sum, big.NewInt(p.Sold))
		if sum.Cmp(big.NewInt(l.sum)) != 0 {
			t.Fatalf("G4: %s: available + reserved + sold = %v, want %d", sku, sum, l.sum)
		}
	}
}
