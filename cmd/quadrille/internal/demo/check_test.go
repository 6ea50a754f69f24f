package demo

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// said is an event on a topic.
func said(topic, kind, id string, sequence int64) record {
	return record{
		Event: event.Event{
			ID: id, Type: "quadrille." + kind, Topic: topic, Sequence: sequence,
			Cause: event.Cause{Trace: "00-" + strings.Repeat("a", 32) + "-" + strings.Repeat("b", 16) + "-01"},
		},
		Kind: kind, raw: &kgo.Record{Value: []byte(kind)},
	}
}

// refusal checks that an error holds words, or that there is none if there are no words.
func refusal(t *testing.T, err error, words string) {
	t.Helper()
	switch {
	case words == "" && err != nil:
		t.Errorf("refused: %v", err)
	case words != "" && (err == nil || !strings.Contains(err.Error(), words)):
		t.Errorf("error %v, want %q", err, words)
	}
}

func TestExactlyTheWantedEvents(t *testing.T) {
	placed, confirmed := said("order.events", "OrderPlaced", "1", 1), said("order.events", "OrderConfirmed", "2", 4)
	reserved := said("inventory.events", "StockReserved", "3", 1)
	altered := placed
	altered.raw = &kgo.Record{Value: []byte("something else")}
	renamed := reserved
	renamed.ID = placed.ID
	late := said("order.events", "OrderConfirmed", "2", 1)
	tests := []struct {
		name    string
		records []record
		want    string
		refused string
	}{
		{"all of them", []record{placed, reserved, confirmed}, "OrderPlaced StockReserved OrderConfirmed", ""},
		{"in any order of topics", []record{reserved, placed}, "OrderPlaced StockReserved", ""},
		{"copies do not count", []record{placed, reserved, placed}, "OrderPlaced StockReserved", ""},
		{"one may be spared", []record{placed}, "OrderPlaced ?StockReserved", ""},
		{"and may be there", []record{placed, reserved}, "OrderPlaced ?StockReserved", ""},
		{"one is missing", []record{placed}, "OrderPlaced StockReserved", "StockReserved is missing"},
		{"nothing is there", nil, "OrderPlaced", "OrderPlaced is missing"},
		{"one is too many", []record{placed, reserved}, "OrderPlaced", "[StockReserved] are too many"},
		{"one fact under two ids", []record{reserved, said("inventory.events", "StockReserved", "4", 2)}, "StockReserved", "too many"},
		{"a copy of other bytes", []record{placed, altered}, "OrderPlaced", "two different events"},
		{"an id of two facts", []record{placed, renamed}, "OrderPlaced StockReserved", "two different events"},
		{"a sequence that stands still", []record{placed, late}, "OrderPlaced OrderConfirmed", "sequence 1 after 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { refusal(t, exactly(tt.records, strings.Fields(tt.want)), tt.refused) })
	}
}

func TestCopiesAreCounted(t *testing.T) {
	placed, reserved := said("order.events", "OrderPlaced", "1", 1), said("inventory.events", "StockReserved", "3", 1)
	refusal(t, copied([]record{placed, reserved, placed}, 1), "")
	refusal(t, copied([]record{placed, reserved}, 1), "2 records of 2 events")
	refusal(t, copied([]record{placed, placed, placed}, 1), "3 records of 1 events")
}

func TestARecordThatCannotBeReadIsAFaultOfItsOrderOnly(t *testing.T) {
	own := said("order.events", "OrderPlaced", "1", 1)
	read := &tape{byKey: map[string][]record{"own": {own}}}
	read.note(t.Context(), &kgo.Record{Topic: "product.events", Key: []byte("own")}) // a tombstone
	read.note(t.Context(), &kgo.Record{Topic: "order.events", Key: []byte("foreign"), Value: []byte("hello"), Offset: 7})
	refusal(t, exactly(read.about("own"), []string{"OrderPlaced"}), "")
	refusal(t, exactly(read.about("foreign"), []string{"OrderPlaced"}), "order.events partition 0 offset 7: bad event")
	refusal(t, read.fault(), "offset 7")
	_, err := sentOf(read.about("foreign"))
	refusal(t, err, "offset 7")
}

func TestEventsOfOneTrace(t *testing.T) {
	placed := said("order.events", "OrderPlaced", "1", 1)
	refusal(t, traced([]record{placed}, strings.Repeat("a", 32)), "")
	refusal(t, traced([]record{placed}, strings.Repeat("c", 32)), "not one of trace")
	placed.Cause.Trace = ""
	refusal(t, traced([]record{placed}, strings.Repeat("a", 32)), "OrderPlaced has the traceparent")
}

func TestALedgerThatBalances(t *testing.T) {
	taken := []client.LedgerLine{{Account: "gateway_clearing", Debit: 500}, {Account: "sales", Credit: 500}}
	back := []client.LedgerLine{{Account: "sales", Debit: 500}, {Account: "gateway_clearing", Credit: 500}}
	refusal(t, booked(taken, 500), "")
	refusal(t, booked(append(taken[:2:2], back...), 0), "")
	refusal(t, booked(nil, 0), "")
	refusal(t, booked(nil, 500), "sales 0, not 500")
	refusal(t, booked(append(taken[:2:2], taken...), 500), "sales 1000, not 500")
	refusal(t, booked(append(taken[:2:2], back[0]), 0), "debit 1000, credit 500")
}

func TestStockThatIsConserved(t *testing.T) {
	refusal(t, conserved(client.Levels{Available: 3, Sold: 2}, 5, 2), "")
	for _, l := range []client.Levels{
		{Available: 2, Sold: 2}, {Available: 3, Sold: 1}, {Available: 2, Reserved: 1, Sold: 2}, {Available: -1, Sold: 6},
	} {
		refusal(t, conserved(l, 5, 2), "stock is")
	}
}

func TestWhatTheGatewayWasAsked(t *testing.T) {
	operations := []client.Operation{
		{Operation: "open", After: client.Intent{Reference: "a"}},
		{Operation: "open", After: client.Intent{Reference: "b"}},
		{Operation: "authorize", Code: "card_declined", After: client.Intent{Reference: "a"}},
	}
	if got := strings.Join(asked(operations, "a"), ", "); got != "open, authorize: card_declined" {
		t.Errorf("asked %q", got)
	}
	if got := asked(operations, "c"); len(got) != 0 {
		t.Errorf("asked %q about an order that it does not know", got)
	}
}

func TestEndingsTellWhatDiffers(t *testing.T) {
	o := client.Order{Status: "confirmed", Steps: []client.Step{{Name: "stock", Status: "committed"}, {Name: "payment", Status: "captured"}}}
	refusal(t, confirmed.of(o), "")
	for _, e := range []ending{soldOut, refused, uncaptured, cancelledBefore, cancelledAfter, timedOut} {
		refusal(t, e.of(o), "not cancelled "+e.reason)
	}
	o.Steps[1].Status = "authorized"
	refusal(t, confirmed.of(o), "payment authorized")
}

func TestRecordsThatAreThereStill(t *testing.T) {
	before := said("order.events", "OrderPlaced", "1", 1)
	before.raw = &kgo.Record{Offset: 7}
	moved := before
	moved.raw = &kgo.Record{Offset: 8}
	refusal(t, sameRecords([]record{before}, []record{moved, before}), "")
	refusal(t, sameRecords([]record{before}, []record{moved}), "offset 7 is gone")
	refusal(t, sameRecords(nil, []record{moved}), "there were none")
}
