package order

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

func TestSagasAreMeasuredAsTheyGoOn(t *testing.T) {
	began := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	place := order.Place{
		OrderID: kept, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa",
		Lines: []order.Item{{SKU: "tea", Quantity: 1}}, At: began, Timeout: time.Minute,
	}
	answer := func(second int, a order.Answer) order.Message {
		return order.Answered{OrderID: kept, At: at(second), Answer: a}
	}
	confirmed := []order.Message{
		place, answer(1, order.StockReserved{}), answer(3, order.PaymentAuthorized{}),
		answer(4, order.StockCommitted{}), answer(8, order.PaymentCaptured{}),
	}
	steps := map[string]float64{
		"inventory StockReserved": 1, "payment PaymentAuthorized": 3, "inventory StockCommitted": 1,
		"payment PaymentCaptured": 5,
	}
	with := func(more map[string]float64) map[string]float64 {
		all := maps.Clone(steps)
		maps.Copy(all, more)
		return all
	}
	tests := map[string]struct {
		messages []order.Message
		ended    map[string]float64
		steps    map[string]float64
	}{
		"one that goes on has not ended": {confirmed[:4], map[string]float64{}, map[string]float64{
			"inventory StockReserved": 1, "payment PaymentAuthorized": 3, "inventory StockCommitted": 1}},
		"confirmed":                  {confirmed, map[string]float64{"confirmed ": 8}, steps},
		"an answer that is repeated": {append(confirmed, answer(9, order.PaymentCaptured{})), map[string]float64{"confirmed ": 8}, steps},
		"declined, from the order's begin": {
			[]order.Message{place, answer(2, order.PaymentDeclined{}), answer(3, order.StockReleased{}), answer(4, order.PaymentVoided{})},
			map[string]float64{"cancelled payment_declined": 4},
			map[string]float64{"payment PaymentDeclined": 2, "inventory StockReleased": 1, "payment PaymentVoided": 2},
		},
		"cancelled after its end, from the cancellation": {
			append(slices.Clone(confirmed), order.Cancel{OrderID: kept, At: at(100)},
				answer(102, order.StockReleased{}), answer(107, order.PaymentRefunded{})),
			map[string]float64{"confirmed ": 8, "cancelled customer_request": 7},
			with(map[string]float64{"inventory StockReleased": 2, "payment PaymentRefunded": 7}),
		},
		"cancelled before its end, from the order's begin": {
			append(slices.Clone(confirmed[:4]), order.Cancel{OrderID: kept, At: at(5)}, answer(6, order.PaymentCaptured{}),
				answer(7, order.StockReleased{}), answer(9, order.PaymentRefunded{})),
			map[string]float64{"cancelled customer_request": 9},
			map[string]float64{"inventory StockReserved": 1, "payment PaymentAuthorized": 3, "inventory StockCommitted": 1,
				"payment PaymentCaptured": 3, "inventory StockReleased": 2, "payment PaymentRefunded": 4},
		},
	}
	for name, test := range tests {
		for batch, size := range map[string]int{"one by one": 1, "in one batch": len(test.messages)} {
			t.Run(name+", "+batch, func(t *testing.T) {
				reader := sdkmetric.NewManualReader()
				p := &pace{}
				if err := p.measure(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("test")); err != nil {
					t.Fatal(err)
				}
				tellAll(t, p, size, test.messages)
				got := sums(t, reader)
				want := map[string]map[string]float64{
					"quadrille.sagas.started":       {"": 1},
					"quadrille.sagas.step.duration": test.steps,
				}
				if len(test.ended) > 0 {
					want["quadrille.sagas.duration"] = test.ended
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error("(-want +got):\n" + diff)
				}
			})
		}
	}
}

// tellAll decides messages in batches of a size, as the unit of work does, and tells p.
func tellAll(t *testing.T, p *pace, size int, messages []order.Message) {
	t.Helper()
	stored := &order.Book{Catalogue: map[string]order.Product{"tea": {SKU: "tea", Name: "Tea", Price: 899, Currency: "EUR", Version: 1}}}
	load := p.loads(func(context.Context, *sqldb.Tx, []order.Message) (*order.Book, error) { return stored, nil })
	for batch := range slices.Chunk(messages, size) {
		book, err := load(t.Context(), nil, batch)
		if err != nil {
			t.Fatal(err)
		}
		var facts []work.Fact[order.Event]
		for _, m := range batch {
			events, err := m.Decide(book)
			if err != nil {
				t.Fatalf("%T: %v", m, err)
			}
			for _, e := range events {
				facts = append(facts, work.Fact[order.Event]{Event: e})
			}
		}
		p.committed(facts)
	}
}

// sums returns what each instrument has added up, by the values of its attributes.
func sums(t *testing.T, reader sdkmetric.Reader) map[string]map[string]float64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]map[string]float64)
	add := func(name string, labels attribute.Set, sum float64) {
		if found[name] == nil {
			found[name] = make(map[string]float64)
		}
		found[name][key(labels)] += sum
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, point := range data.DataPoints {
					add(m.Name, point.Attributes, float64(point.Value))
				}
			case metricdata.Histogram[float64]:
				for _, point := range data.DataPoints {
					add(m.Name, point.Attributes, point.Sum)
				}
			}
		}
	}
	return found
}

func key(labels attribute.Set) string {
	value := func(name attribute.Key) string { v, _ := labels.Value(name); return v.AsString() }
	if labels.HasValue("outcome") {
		return fmt.Sprintf("%s %s", value("outcome"), value("reason"))
	}
	if labels.HasValue("answer") {
		return fmt.Sprintf("%s %s", value("service"), value("answer"))
	}
	return ""
}
