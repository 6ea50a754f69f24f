// Package loadtest puts a running platform under open-loop load and reports how long its orders took.
package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/load"
)

const (
	// products that the load has for itself, so that neighbours in a batch share none.
	products    = 10
	stockWithin = time.Minute
	// overrun is how long a platform that does not keep up may take orders after the last was due.
	overrun = 10 * time.Second
)

// Command is `quadrille loadtest`.
type Command struct {
	Rate     int           `help:"Orders a second." default:"100"`
	Duration time.Duration `help:"How long orders are placed." default:"30s"`
	Mix      Mix           `help:"Payment tokens and the weight of each." default:"tok_visa=1" placeholder:"TOKEN=WEIGHT,..." predictor:"token"`
	SKU      []string      `help:"Order this product, as far as it is in stock (default: products of its own, restocked first)." placeholder:"SKU"`
	InFlight int           `help:"Bound of the requests under way; what is due beyond it goes out late." default:"1024"`
	Settle   time.Duration `help:"How long the last sagas may take after the last order." default:"30s"`
	Against  string        `help:"Addresses of the platform: the file, the URL or the text that 'quadrille up --json' printed (default: the documented ones)." env:"QUADRILLE_AGAINST" placeholder:"FILE|URL|JSON" predictor:"file"`
	JSON     bool          `help:"Print the report as JSON."`
}

// Help is shown by `quadrille loadtest --help`.
func (Command) Help() string {
	return `Orders go out on schedule, whatever becomes of the earlier ones, and every latency counts from the
instant at which an order was due: a platform that stalls is charged for all that would have come meanwhile. What became
of an order is read from the topics, by the times of the records, so clocks must agree if it runs on another machine. A
line a second says how far it is; the report counts outcomes and shows the latency

  accepted    to the answer of POST /v1/orders,
  decided     to OrderConfirmed or OrderCancelled,
  completed   to the answers of inventory and payment to that.

A platform that does not keep up gets what was due for 10 s more; the rest is counted as never sent. Ctrl-C ends it
early, with a report of what was done. It fails if no order was accepted, one was never sent or a saga not completed.

Examples:

  quadrille loadtest                                   100 orders a second for 30 s
  quadrille loadtest --rate 500 --duration 1m
  quadrille loadtest --mix tok_visa=90,tok_declined=10
  quadrille loadtest --sku cake-001 --rate 50 --duration 1s
  quadrille loadtest --against addresses.json --json`
}

// Validate refuses what cannot be done.
func (c Command) Validate() error {
	switch {
	case c.Rate < 1:
		return errors.New("--rate must be at least 1")
	case c.Duration <= 0:
		return errors.New("--duration must be more than nothing")
	case c.InFlight < 1:
		return errors.New("--in-flight must be at least 1")
	case c.Settle < 0:
		return errors.New("--settle must not be negative")
	case int(c.Duration.Seconds()*float64(c.Rate)) < 1:
		return errors.New("--rate and --duration make less than one order")
	}
	return nil
}

// Run returns once the last saga has completed or is given up.
func (c Command) Run(ctx context.Context) error {
	progress := plainly(os.Stderr)
	if isatty.IsTerminal(os.Stderr.Fd()) {
		progress = inPlace(os.Stderr)
	}
	return c.run(ctx, os.Stdout, progress)
}

func (c Command) run(ctx context.Context, to io.Writer, progress *progress) (err error) {
	addresses, err := c.addresses(ctx)
	if err != nil {
		return err
	}
	platform := client.New(addresses)
	skus, err := c.skus(ctx, platform)
	if err != nil {
		return err
	}
	registry, err := serde.NewClient("http://" + addresses.Registry)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, stockWithin)
	defer cancel()
	w, err := load.Watch(asking, addresses.Kafka, reasons(serde.NewViewer(registry)))
	if err != nil {
		return err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx)) // what was sent is watched to its end
	watched := make(chan error, 1)
	go func() { watched <- w.Run(watching) }()
	defer func() { stop(); err = errors.Join(err, <-watched) }()

	l := load.New(load.Config{
		Order: addresses.Services["order"], MaxWaiting: c.InFlight, Overrun: overrun,
		Purchase: func(n int) client.Purchase {
			return client.Buy(c.Mix.Pick(n), client.Line{SKU: skus[n%len(skus)], Quantity: 1})
		},
	})
	report := c.drive(ctx, l, w, progress)
	if c.JSON {
		err = json.NewEncoder(to).Encode(report)
	} else {
		err = report.print(to)
	}
	return errors.Join(err, report.fault())
}

// skus to order: those asked for, or ten that are stocked for all that is to come.
func (c Command) skus(ctx context.Context, platform *client.Client) ([]string, error) {
	if len(c.SKU) > 0 {
		return c.SKU, nil
	}
	ctx, cancel := context.WithTimeout(ctx, stockWithin)
	defer cancel()
	var skus []string
	each := int64(c.Duration.Seconds()*float64(c.Rate))/products + 1
	for n := range products {
		sku := fmt.Sprintf("loadtest-%02d", n)
		if err := platform.Stock(ctx, sku, client.Money{Amount: 100, Currency: "EUR"}, each); err != nil {
			return nil, fmt.Errorf("stock the products of the load: %w; is the platform running? --against names "+
				"another", err)
		}
		skus = append(skus, sku)
	}
	return skus, nil
}

// addresses are the documented ones unless others are given.
func (c Command) addresses(ctx context.Context) (client.Addresses, error) {
	if c.Against != "" {
		return client.ReadAddresses(ctx, c.Against)
	}
	return client.Addresses{
		Kafka: "127.0.0.1:9092", Registry: "127.0.0.1:8091",
		Services: map[string]string{"order": "127.0.0.1:8081", "inventory": "127.0.0.1:8082"},
	}, nil
}

// reasons reads that of a cancellation; what cannot be read has none.
func reasons(viewer *serde.Viewer) func(context.Context, *kgo.Record) string {
	return func(ctx context.Context, r *kgo.Record) string {
		view, err := viewer.View(ctx, r.Value, false)
		var data struct{ Reason string }
		if err != nil || json.Unmarshal(view.JSON, &data) != nil {
			return ""
		}
		return data.Reason
	}
}
