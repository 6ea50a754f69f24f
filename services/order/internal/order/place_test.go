package order_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

func TestRefusals(t *testing.T) {
	change := func(f func(*order.Place)) order.Message {
		m := place
		m.OrderID = "o2"
		f(&m)
		return m
	}
	lines := func(lines ...order.Item) order.Message { return change(func(m *order.Place) { m.Lines = lines }) }
	withdrawn := order.ProductWithdrawn{SKU: "cup", Version: 2}
	dear := order.ProductUpdated{SKU: "ring", Price: order.MaxTotal, Currency: "EUR", Version: 1}
	dearer := order.ProductUpdated{SKU: "moon", Price: math.MaxInt64, Currency: "EUR", Version: 1}
	tooMany := make([]order.Item, order.MaxLines+1)
	for i := range tooMany {
		tooMany[i] = order.Item{SKU: fmt.Sprint(i), Quantity: 1}
	}
	tests := []struct {
		name  string
		when  order.Message
		code  order.Code
		field string
		line  int
	}{
		{"no order id", change(func(m *order.Place) { m.OrderID = "" }), order.CodeMissing, "order_id", -1},
		{"no customer", change(func(m *order.Place) { m.CustomerID = "" }), order.CodeMissing, "customer_id", -1},
		{"customer with NUL", change(func(m *order.Place) { m.CustomerID = "\x00" }), order.CodeMalformed, "customer_id", -1},
		{"no e-mail", change(func(m *order.Place) { m.Email = "" }), order.CodeMissing, "email", -1},
		{"long e-mail", change(func(m *order.Place) { m.Email = strings.Repeat("a", 255) }), order.CodeTooLong, "email", -1},
		{"a sales channel with a NUL", change(func(m *order.Place) { m.SalesChannel = "a\x00b" }),
			order.CodeMalformed, "sales_channel", -1},
		{"no payment method", change(func(m *order.Place) { m.PaymentMethod = "" }), order.CodeMissing, "payment_method", -1},
		{"payment method not UTF-8", change(func(m *order.Place) { m.PaymentMethod = "\xff" }),
			order.CodeMalformed, "payment_method", -1},
		{"no time", change(func(m *order.Place) { m.At = time.Time{} }), order.CodeMissing, "at", -1},
		{"a time that JSON cannot hold", change(func(m *order.Place) { m.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }),
			order.CodeOutOfRange, "at", -1},
		{"no timeout", change(func(m *order.Place) { m.Timeout = 0 }), order.CodeOutOfRange, "timeout", -1},
		{"endless timeout", change(func(m *order.Place) { m.Timeout = math.MaxInt64 }), order.CodeOutOfRange, "timeout", -1},
		{"no lines", lines(), order.CodeMissing, "lines", -1},
		{"too many lines", lines(tooMany...), order.CodeTooMany, "lines", -1},
		{"no sku", lines(place.Lines[0], order.Item{Quantity: 1}), order.CodeMissing, "lines[1].sku", 1},
		{"a sku twice", lines(place.Lines[0], place.Lines[1], place.Lines[0]), order.CodeDuplicate, "lines[2].sku", 2},
		{"quantity of zero", lines(order.Item{SKU: "tea"}), order.CodeOutOfRange, "lines[0].quantity", 0},
		{"negative quantity", lines(order.Item{SKU: "tea", Quantity: math.MinInt64}),
			order.CodeOutOfRange, "lines[0].quantity", 0},
		{"huge quantity", lines(order.Item{SKU: "tea", Quantity: order.MaxQuantity + 1}),
			order.CodeOutOfRange, "lines[0].quantity", 0},
		{"unknown product", lines(place.Lines[0], order.Item{SKU: "pot", Quantity: 1}),
			order.CodeUnknownProduct, "lines[1].sku", 1},
		{"withdrawn product", lines(place.Lines...), order.CodeUnknownProduct, "lines[1].sku", 1},
		{"two currencies", lines(place.Lines[0], order.Item{SKU: "gin", Quantity: 1}),
			order.CodeMixedCurrency, "lines[1].sku", 1},
		{"total too large", lines(place.Lines[0], order.Item{SKU: "ring", Quantity: 1}),
			order.CodeTotalTooLarge, "lines[1].quantity", 1},
		{"total beyond 64 bits", lines(order.Item{SKU: "moon", Quantity: order.MaxQuantity}),
			order.CodeTotalTooLarge, "lines[0].quantity", 0},
		{"long detail", order.Cancel{OrderID: "o1", At: at(1), Detail: strings.Repeat("x", 1001)},
			order.CodeTooLong, "detail", -1},
		{"detail with NUL", order.Cancel{OrderID: "o1", At: at(1), Detail: "a\x00"}, order.CodeMalformed, "detail", -1},
		{"cancellation without time", order.Cancel{OrderID: "o1"}, order.CodeMissing, "at", -1},
		{"timer without time", order.TimedOut{OrderID: "o1"}, order.CodeMissing, "at", -1},
		{"answer without time", order.Answered{OrderID: "o1", Answer: order.StockReserved{}}, order.CodeMissing, "at", -1},
		{"product without sku", order.ProductUpdated{Price: 1, Currency: "EUR", Version: 1}, order.CodeMissing, "sku", -1},
		{"product without version", order.ProductUpdated{SKU: "tea", Price: 1, Currency: "EUR"},
			order.CodeOutOfRange, "version", -1},
		{"product without price", order.ProductUpdated{SKU: "tea", Currency: "EUR", Version: 9},
			order.CodeOutOfRange, "price", -1},
		{"product without currency", order.ProductUpdated{SKU: "tea", Price: 1, Version: 9},
			order.CodeMalformed, "currency", -1},
		{"tombstone without sku", order.ProductWithdrawn{Version: 1}, order.CodeMissing, "sku", -1},
		{"tombstone without version", order.ProductWithdrawn{SKU: "tea"}, order.CodeOutOfRange, "version", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := given(t, place, dear, dearer, withdrawn)
			_, err := w.step(t, tt.when)
			var refusal *order.Refusal
			if !errors.As(err, &refusal) {
				t.Fatalf("error = %v, want a Refusal", err)
			}
			if want := (order.Refusal{Code: tt.code, Field: tt.field, Line: tt.line}); *refusal != want {
				t.Errorf("refusal = %+v, want %+v", *refusal, want)
			}
		})
	}
}

func TestTheLargestOrderIsAccepted(t *testing.T) {
	w := given(t, order.ProductUpdated{SKU: "ring", Price: order.MaxTotal, Currency: "EUR", Version: 1})
	m := place
	m.Lines = []order.Item{{SKU: "ring", Quantity: 1}}
	if _, err := w.step(t, m); err != nil {
		t.Fatal(err)
	}
	if got := w.book.Orders["o1"].Total; got != order.MaxTotal {
		t.Errorf("total = %d", got)
	}
}
