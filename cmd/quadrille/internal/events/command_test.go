package events

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/schemas"
)

func TestWhatIsThereIsShownInTheOrderOfTime(t *testing.T) {
	w := startWorld(t)
	w.put(t, 2, 9, two, &schemas.PaymentVoided{OrderID: two, Currency: "EUR", VoidedAt: start})
	w.put(t, 0, 1, one, placed(one))
	w.put(t, 0, 4, one, &schemas.OrderConfirmed{OrderID: one, Currency: "EUR", Total: 100, ConfirmedAt: start})
	w.put(t, 1, 2, two, placed(two))
	w.put(t, 0, 3, one, &schemas.StockReserved{OrderID: one, ReservedAt: start})

	tests := map[string]struct {
		change func(*Command)
		want   []string
	}{
		"all": {func(*Command) {}, []string{
			"1: OrderPlaced", "2: OrderPlaced", "3: StockReserved", "4: OrderConfirmed", "9: PaymentVoided",
		}},
		"an order":     {func(c *Command) { c.Order = two }, []string{"2: OrderPlaced", "9: PaymentVoided"}},
		"a type":       {func(c *Command) { c.Type = []string{"OrderPlaced"} }, []string{"1: OrderPlaced", "2: OrderPlaced"}},
		"a full name":  {func(c *Command) { c.Type = []string{"quadrille.payment.PaymentVoided"} }, []string{"9: PaymentVoided"}},
		"two types":    {func(c *Command) { c.Type = []string{"StockReserved", "PaymentVoided"} }, []string{"3: StockReserved", "9: PaymentVoided"}},
		"no such type": {func(c *Command) { c.Type = []string{"OrderLost"} }, []string{}},
		"a topic":      {func(c *Command) { c.Topic = []string{"inventory.events"} }, []string{"3: StockReserved"}},
		"the first":    {func(c *Command) { c.Limit = 2 }, []string{"1: OrderPlaced", "2: OrderPlaced"}},
		"an offset":    {func(c *Command) { c.From = From{given: true, offset: 1} }, []string{"4: OrderConfirmed"}},
		"the end":      {func(c *Command) { c.From = From{given: true, end: true} }, []string{}},
		"a time": {func(c *Command) { c.From = From{given: true, at: start.Add(3 * time.Second)} }, []string{
			"3: StockReserved", "4: OrderConfirmed", "9: PaymentVoided",
		}},
		"an order and a type": {func(c *Command) { c.Order, c.Type = one, []string{"OrderPlaced"} }, []string{"1: OrderPlaced"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := w.command()
			test.change(&c)
			if diff := cmp.Diff(test.want, names(shown(t, c))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFollowingShowsWhatWasThereAndWhatComes(t *testing.T) {
	w := startWorld(t)
	w.put(t, 0, 1, one, placed(one))
	w.put(t, 1, 2, two, placed(two))

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &pipe{more: make(chan struct{}, 1)}
	done := make(chan error, 1)
	c := w.command()
	c.Follow, c.JSON, c.Order = true, true, one
	go func() { done <- c.print(ctx, out, out) }()
	out.until(t, 1)
	w.put(t, 0, 3, one, &schemas.StockReserved{OrderID: one, ReservedAt: start})
	out.until(t, 2)
	w.put(t, 0, 4, two, &schemas.StockReserved{OrderID: two, ReservedAt: start})
	w.put(t, 2, 5, one, &schemas.OrderConfirmed{OrderID: one, Currency: "EUR", ConfirmedAt: start})
	text := out.until(t, 3)
	want := []string{"1: OrderPlaced", "3: StockReserved", "5: OrderConfirmed"}
	if diff := cmp.Diff(want, names(parse(t, text))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("its end: %v", err)
	}
}

func TestFollowingStartsAtTheEndUnlessAnOrderIsAskedFor(t *testing.T) {
	w := startWorld(t)
	w.put(t, 0, 1, one, placed(one))
	out := &pipe{more: make(chan struct{}, 1)}
	c := w.command()
	c.Follow, c.JSON, c.Limit = true, true, 1
	done := make(chan error, 1)
	go func() { done <- c.print(t.Context(), out, out) }()
	for second := 2; ; second++ { // it may not have looked for the end yet
		w.put(t, 0, second, two, placed(two))
		select {
		case err := <-done:
			if events := parse(t, out.until(t, 1)); err != nil || len(events) != 1 || events[0].Key != two {
				t.Errorf("%v, shown are %+v", err, events)
			}
			return
		case <-time.After(20 * time.Millisecond): // between two events
		}
	}
}

func TestWhatIsAwayIsNamedWithItsCure(t *testing.T) {
	w := startWorld(t)
	w.put(t, 0, 1, one, placed(one))
	tests := map[string]struct {
		change func(*Command)
		says   []string
	}{
		"broker":   {func(c *Command) { c.Brokers = []string{"127.0.0.1:1"} }, []string{"127.0.0.1:1", "--brokers"}},
		"registry": {func(c *Command) { c.Registry = "http://127.0.0.1:1" }, []string{"127.0.0.1:1", "--registry"}},
		"topic":    {func(c *Command) { c.Topic = []string{"order.event"} }, []string{`"order.event"`, "order.events"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := w.command()
			test.change(&c)
			var out bytes.Buffer
			err := c.print(t.Context(), &out, &out)
			if err == nil {
				t.Fatalf("no error; shown is %s", out.String())
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

var errClosed = errors.New("closed")

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errClosed }

func TestAWriterThatIsGoneEndsIt(t *testing.T) {
	w := startWorld(t)
	w.put(t, 0, 1, one, placed(one))
	for _, follow := range []bool{false, true} {
		c := w.command()
		c.Follow, c.From = follow, From{given: true}
		if err := c.print(t.Context(), closed{}, closed{}); !errors.Is(err, errClosed) {
			t.Errorf("following %t: %v", follow, err)
		}
	}
}
