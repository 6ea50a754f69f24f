package stock_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
)

var (
	putTea = stock.PutProduct{
		SKU: "tea", Name: "Tea", Price: 450, Currency: "EUR", At: at(0), RepublishAfter: time.Hour,
	}
	putCup    = stock.PutProduct{SKU: "cup", Name: "Cup", Price: 900, Currency: "EUR", At: at(0)}
	tenTea    = stock.Restock{SKU: "tea", Quantity: 10, At: at(1)}
	twoCups   = stock.Restock{SKU: "cup", Quantity: 2, At: at(1)}
	stocked   = []stock.Message{putTea, putCup, tenTea, twoCups}
	lines     = []stock.Line{{SKU: "tea", Quantity: 3}, {SKU: "cup", Quantity: 2}}
	sorted    = []stock.Line{{SKU: "cup", Quantity: 2}, {SKU: "tea", Quantity: 3}}
	placed    = stock.OrderPlaced{OrderID: "o1", Lines: lines, At: at(2)}
	confirmed = stock.OrderConfirmed{OrderID: "o1", At: at(3)}
	cancelled = stock.OrderCancelled{OrderID: "o1", At: at(4)}
)

func after(given ...stock.Message) []stock.Message {
	return append(stocked[:len(stocked):len(stocked)], given...)
}

func TestDecide(t *testing.T) {
	tests := []struct {
		name  string
		given []stock.Message
		when  stock.Message
		want  []stock.Event
		// levels of tea: available, reserved, sold
		levels [3]int64
		status stock.Status
	}{
		{
			name: "an order is held in full, its lines sorted by sku", given: stocked, when: placed,
			want:   []stock.Event{stock.Reserved{OrderID: "o1", Version: 1, At: at(2), Lines: sorted}},
			levels: [3]int64{7, 3, 0}, status: stock.StatusReserved,
		},
		{
			name: "lines of one sku add up", given: stocked,
			when: stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 4}, {"tea", 6}}},
			want: []stock.Event{stock.Reserved{
				OrderID: "o1", Version: 1, At: at(2), Lines: []stock.Line{{"tea", 10}},
			}},
			levels: [3]int64{0, 10, 0}, status: stock.StatusReserved,
		},
		{
			name: "one short line keeps every line from being held", given: stocked,
			when: stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 1}, {"cup", 3}}},
			want: []stock.Event{stock.ReservationFailed{
				OrderID: "o1", Version: 1, At: at(2), Reason: stock.FailureOutOfStock,
				Shortages: []stock.Shortage{{SKU: "cup", Requested: 3, Available: 2}},
			}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusFailed,
		},
		{
			name: "lines of one sku that are short only together are short", given: stocked,
			when: stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 6}, {"tea", 5}}},
			want: []stock.Event{stock.ReservationFailed{
				OrderID: "o1", Version: 1, At: at(2), Reason: stock.FailureOutOfStock,
				Shortages: []stock.Shortage{{SKU: "tea", Requested: 11, Available: 10}},
			}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusFailed,
		},
		{
			name: "an unknown sku outweighs a short one, and both are listed", given: stocked,
			when: stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"pot", 1}, {"cup", 3}}},
			want: []stock.Event{stock.ReservationFailed{
				OrderID: "o1", Version: 1, At: at(2), Reason: stock.FailureUnknownProduct,
				Shortages: []stock.Shortage{{SKU: "cup", Requested: 3, Available: 2}, {SKU: "pot", Requested: 1}},
			}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusFailed,
		},
		{
			name: "a confirmation sells what is held", given: after(placed), when: confirmed,
			want:   []stock.Event{stock.Committed{OrderID: "o1", Version: 2, At: at(3), Lines: sorted}},
			levels: [3]int64{7, 0, 3}, status: stock.StatusCommitted,
		},
		{
			name: "a confirmation of a failed reservation changes no level", given: after(
				stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 11}}}), when: confirmed,
			levels: [3]int64{10, 0, 0}, status: stock.StatusFailed,
		},
		{
			name: "a confirmation that overtakes the order waits for it", given: after(confirmed), when: placed,
			want: []stock.Event{
				stock.Reserved{OrderID: "o1", Version: 2, At: at(3), Lines: sorted},
				stock.Committed{OrderID: "o1", Version: 3, At: at(3), Lines: sorted},
			},
			levels: [3]int64{7, 0, 3}, status: stock.StatusCommitted,
		},
		{
			name: "a cancellation releases what is held", given: after(placed), when: cancelled,
			want: []stock.Event{stock.Released{
				OrderID: "o1", Version: 2, At: at(4), Lines: sorted, From: stock.StatusReserved,
			}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusReleased,
		},
		{
			name: "a cancellation puts back what was sold", given: after(placed, confirmed), when: cancelled,
			want: []stock.Event{stock.Released{
				OrderID: "o1", Version: 3, At: at(4), Lines: sorted, From: stock.StatusCommitted,
			}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusReleased,
		},
		{
			name: "a cancellation that overtakes the order is answered at once", given: stocked, when: cancelled,
			want:   []stock.Event{stock.Released{OrderID: "o1", Version: 1, At: at(4), From: stock.StatusNone}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusReleased,
		},
		{
			name: "and voids the late order without another answer", given: after(cancelled), when: placed,
			levels: [3]int64{10, 0, 0}, status: stock.StatusReleased,
		},
		{
			name: "a cancelled failure is answered with no lines", given: after(
				stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 11}}}), when: cancelled,
			want:   []stock.Event{stock.Released{OrderID: "o1", Version: 2, At: at(4), From: stock.StatusFailed}},
			levels: [3]int64{10, 0, 0}, status: stock.StatusReleased,
		},
		{
			name: "a failed reservation stays failed when goods come in", given: after(
				stock.OrderPlaced{OrderID: "o1", At: at(2), Lines: []stock.Line{{"tea", 11}}}), when: tenTea,
			want:   []stock.Event{stock.Restocked{SKU: "tea", Version: 3, At: at(1), Quantity: 10}},
			levels: [3]int64{20, 0, 0}, status: stock.StatusFailed,
		},
		{name: "an order repeated", given: after(placed), when: placed,
			levels: [3]int64{7, 3, 0}, status: stock.StatusReserved},
		{name: "a confirmation repeated", given: after(placed, confirmed), when: confirmed,
			levels: [3]int64{7, 0, 3}, status: stock.StatusCommitted},
		{name: "a cancellation repeated", given: after(placed, cancelled), when: cancelled,
			levels: [3]int64{10, 0, 0}, status: stock.StatusReleased},
		{
			name: "a new product is published", given: after(), when: stock.PutProduct{
				SKU: "pot", Name: "Pot", Price: 1, Currency: "EUR", At: at(5)},
			want: []stock.Event{stock.ProductUpdated{
				SKU: "pot", Name: "Pot", Price: 1, Currency: "EUR", Version: 1, At: at(5)}},
			levels: [3]int64{10, 0, 0},
		},
		{
			name: "a new price leaves the levels, and time does not run backwards", given: after(), when: stock.PutProduct{
				SKU: "tea", Name: "Tea", Price: 500, Currency: "EUR", At: at(-5)},
			want: []stock.Event{stock.ProductUpdated{
				SKU: "tea", Name: "Tea", Price: 500, Currency: "EUR", Version: 3, At: at(1)}},
			levels: [3]int64{10, 0, 0},
		},
		{name: "a product put as it is", given: after(), when: putTea, levels: [3]int64{10, 0, 0}},
		{
			name: "a due product is published again, whatever became of its levels", given: after(placed),
			when: stock.Republish{SKU: "tea", Version: 1, At: at(60)},
			want: []stock.Event{stock.ProductUpdated{
				SKU: "tea", Name: "Tea", Price: 450, Currency: "EUR", Version: 4, At: at(60)}},
			levels: [3]int64{7, 3, 0}, status: stock.StatusReserved,
		},
		{name: "a product is published again only once", given: after(stock.Republish{SKU: "tea", Version: 1, At: at(60)}),
			when: stock.Republish{SKU: "tea", Version: 3, At: at(61)}, levels: [3]int64{10, 0, 0}},
		{name: "a product published since its timer was set waits for the next one", given: after(stock.PutProduct{
			SKU: "tea", Name: "Green tea", Price: 450, Currency: "EUR", At: at(9), RepublishAfter: time.Hour}),
			when: stock.Republish{SKU: "tea", Version: 1, At: at(60)}, levels: [3]int64{10, 0, 0}},
		{name: "a product without a timer is not published again", given: after(),
			when: stock.Republish{SKU: "cup", Version: 1, At: at(60)}, levels: [3]int64{10, 0, 0}},
		{name: "an unknown product is not published again", given: after(),
			when: stock.Republish{SKU: "pot", Version: 1, At: at(60)}, levels: [3]int64{10, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &stock.Stock{}
			for _, m := range tt.given {
				if _, err := step(t, s, m); err != nil {
					t.Fatal(err)
				}
			}
			events, err := step(t, s, tt.when)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			tea := s.Products["tea"]
			if got := [3]int64{tea.Available, tea.Reserved, tea.Sold}; got != tt.levels {
				t.Errorf("levels = %v, want %v", got, tt.levels)
			}
			var status stock.Status
			if r := s.Reservations["o1"]; r != nil {
				status = r.Status
			}
			if status != tt.status {
				t.Errorf("status = %q, want %q", status, tt.status)
			}
		})
	}
}

func TestDecideRefuses(t *testing.T) {
	order := func(lines ...stock.Line) stock.Message {
		return stock.OrderPlaced{OrderID: "o2", Lines: lines, At: at(5)}
	}
	put := func(change func(*stock.PutProduct)) stock.Message {
		m := putTea
		change(&m)
		return m
	}
	tests := []struct {
		name string
		when stock.Message
		code stock.Code
		at   string
	}{
		{"an order without id", stock.OrderPlaced{Lines: lines}, stock.CodeMissing, "order_id"},
		{"a confirmation without id", stock.OrderConfirmed{}, stock.CodeMissing, "order_id"},
		{"a cancellation without id", stock.OrderCancelled{}, stock.CodeMissing, "order_id"},
		{"an order without time", stock.OrderPlaced{OrderID: "o2", Lines: lines}, stock.CodeMissing, "at"},
		{"a confirmation without time", stock.OrderConfirmed{OrderID: "o1"}, stock.CodeMissing, "at"},
		{"a cancellation without time", stock.OrderCancelled{OrderID: "o1"}, stock.CodeMissing, "at"},
		{"a restock without time", stock.Restock{SKU: "tea", Quantity: 1}, stock.CodeMissing, "at"},
		{"a timer without time", stock.Republish{SKU: "tea", Version: 1}, stock.CodeMissing, "at"},
		{"a product without time", put(func(m *stock.PutProduct) { m.At = time.Time{} }), stock.CodeMissing, "at"},
		{"a time that JSON cannot hold", put(func(m *stock.PutProduct) { m.At = start.AddDate(8000, 0, 0) }),
			stock.CodeOutOfRange, "at"},
		{"an order without lines", order(), stock.CodeMissing, "lines"},
		{"a line without sku", order(stock.Line{Quantity: 1}), stock.CodeMissing, "lines[0].sku"},
		{"a quantity of zero", order(lines[0], stock.Line{SKU: "tea"}), stock.CodeOutOfRange, "lines[1].quantity"},
		{"a negative quantity", order(stock.Line{"tea", math.MinInt64}), stock.CodeOutOfRange, "lines[0].quantity"},
		{"quantities that overflow together", order(stock.Line{"tea", math.MaxInt64}, stock.Line{"tea", 1}),
			stock.CodeOutOfRange, "lines[1].quantity"},
		{"a restock without sku", stock.Restock{Quantity: 1}, stock.CodeMissing, "sku"},
		{"a restock of nothing", stock.Restock{SKU: "tea"}, stock.CodeOutOfRange, "quantity"},
		{"a negative restock", stock.Restock{SKU: "tea", Quantity: -1}, stock.CodeOutOfRange, "quantity"},
		{"a restock beyond all bounds", stock.Restock{SKU: "tea", Quantity: math.MaxInt64}, stock.CodeOutOfRange, "quantity"},
		{"a restock that lifts the sum of levels too high",
			stock.Restock{SKU: "tea", Quantity: stock.MaxLevel - 9, At: at(5)}, stock.CodeOutOfRange, "quantity"},
		{"a product without sku", put(func(m *stock.PutProduct) { m.SKU = "" }), stock.CodeMissing, "sku"},
		{"a product without name", put(func(m *stock.PutProduct) { m.Name = "" }), stock.CodeMissing, "name"},
		{"a long sku", put(func(m *stock.PutProduct) { m.SKU = strings.Repeat("x", 65) }), stock.CodeTooLong, "sku"},
		{"a long name", put(func(m *stock.PutProduct) { m.Name = strings.Repeat("x", 201) }), stock.CodeTooLong, "name"},
		{"a name with NUL", put(func(m *stock.PutProduct) { m.Name = "a\x00b" }), stock.CodeMalformed, "name"},
		{"a name that is not UTF-8", put(func(m *stock.PutProduct) { m.Name = "\xff" }), stock.CodeMalformed, "name"},
		{"a free product", put(func(m *stock.PutProduct) { m.Price = 0 }), stock.CodeOutOfRange, "price"},
		{"a price beyond all bounds", put(func(m *stock.PutProduct) { m.Price = stock.MaxPrice + 1 }),
			stock.CodeOutOfRange, "price"},
		{"a currency of two letters", put(func(m *stock.PutProduct) { m.Currency = "EU" }), stock.CodeMalformed, "currency"},
		{"a currency in lower case", put(func(m *stock.PutProduct) { m.Currency = "EuR" }), stock.CodeMalformed, "currency"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &stock.Stock{}
			for _, m := range after(placed) {
				if _, err := step(t, s, m); err != nil {
					t.Fatal(err)
				}
			}
			_, err := step(t, s, tt.when)
			var refusal *stock.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("error = %v, want a Refusal", err)
			}
			if want := (stock.Refusal{Code: tt.code, Field: tt.at}); *refusal != want {
				t.Errorf("refusal = %v, want %v", *refusal, want)
			}
		})
	}
}

func TestRestockOfAnUnknownProduct(t *testing.T) {
	if _, err := step(t, &stock.Stock{}, tenTea); !errors.Is(err, stock.ErrUnknownProduct) {
		t.Fatalf("error = %v", err)
	}
}

func TestAChangeAloneSetsTheRepublishTimer(t *testing.T) {
	s := &stock.Stock{}
	dearer := putTea
	dearer.Price, dearer.At = 500, at(30)
	once := stock.PutProduct{SKU: "tea", Name: "Tea", Price: 505, Currency: "EUR", At: at(31)}
	dearest := putTea
	dearest.Price, dearest.At = 510, at(32)
	timers := []struct {
		when stock.Message
		want time.Time
	}{
		{putTea, at(60)},
		{tenTea, at(60)},
		{putTea, at(60)},
		{dearer, at(90)},
		{once, time.Time{}},
		{dearest, at(92)},
		{stock.Republish{SKU: "tea", Version: 5, At: at(93)}, time.Time{}},
		{dearest, time.Time{}},
	}
	for i, timer := range timers {
		if _, err := step(t, s, timer.when); err != nil {
			t.Fatal(err)
		}
		if got := s.Products["tea"].RepublishAt; !got.Equal(timer.want) {
			t.Errorf("G1: after message %d it is published once more at %v, want %v", i, got, timer.want)
		}
	}
}

func TestRestockUpToTheLimit(t *testing.T) {
	s := &stock.Stock{}
	fill := stock.Restock{SKU: "tea", Quantity: stock.MaxLevel - 10, At: at(3)}
	for _, m := range after(placed, confirmed, fill, cancelled) {
		if _, err := step(t, s, m); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Products["tea"].Available; got != stock.MaxLevel {
		t.Fatalf("available = %d", got)
	}
}

// A state loaded in part must never lead to half a commit or release.
func TestLevelsThatContradictAReservationAreRefused(t *testing.T) {
	held := stock.Reservation{OrderID: "o1", Lines: sorted, Placed: true, Status: stock.StatusReserved, Version: 1}
	sold := held
	sold.Confirmed, sold.Status = true, stock.StatusCommitted
	tests := []struct {
		name        string
		reservation stock.Reservation
		tea         *stock.Product
		when        stock.Message
	}{
		{"commit of a product not loaded", held, nil, confirmed},
		{"release of a product not loaded", held, nil, cancelled},
		{"commit of more than is reserved", held, &stock.Product{SKU: "tea", Reserved: 2}, confirmed},
		{"release of more than is reserved", held, &stock.Product{SKU: "tea", Reserved: 2}, cancelled},
		{"return of more than is sold", sold, &stock.Product{SKU: "tea", Reserved: 3, Sold: 2}, cancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &stock.Stock{
				Products:     map[string]*stock.Product{"cup": {SKU: "cup", Reserved: 2, Sold: 2}},
				Reservations: map[string]*stock.Reservation{"o1": &tt.reservation},
			}
			if tt.tea != nil {
				s.Products["tea"] = tt.tea
			}
			if _, err := step(t, s, tt.when); !errors.Is(err, stock.ErrInconsistent) {
				t.Fatalf("error = %v, want ErrInconsistent", err)
			}
		})
	}
}
