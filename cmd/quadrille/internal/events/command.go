// Package events prints what is on the topics, decoded: all that is there, or what comes.
package events

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// askWithin bounds the questions that are asked before the first event is shown.
const askWithin = 10 * time.Second

// Command is `quadrille events`.
type Command struct {
	Follow   bool     `short:"f" help:"Go on with what comes, until Ctrl-C."`
	Order    string   `help:"Only events of this order. Of product.events: of this sku." placeholder:"ID"`
	Type     []string `help:"Only events of this type, such as OrderPlaced." placeholder:"NAME" predictor:"type"`
	Topic    []string `help:"Only this topic (default: all of the catalogue)." placeholder:"NAME" predictor:"topic"`
	From     From     `help:"Where to start: beginning, end, an offset in every partition, a time such as 2026-03-01T12:00:00Z, or '10m ago' (default: beginning; end with --follow, unless one order is asked for)." placeholder:"WHERE" predictor:"from"`
	Limit    int      `help:"Stop after so many events." placeholder:"N"`
	JSON     bool     `help:"Print one JSON object a line, with all headers."`
	PII      bool     `help:"Show personal data instead of ***, and the bytes of what cannot be decoded."`
	Brokers  []string `help:"Kafka brokers to start from." env:"QUADRILLE_KAFKA_BROKERS" default:"127.0.0.1:9092"`
	Registry string   `help:"Schema registry." env:"QUADRILLE_REGISTRY_URL" default:"http://127.0.0.1:8091"`
}

// Help is shown by `quadrille events --help`.
func (Command) Help() string {
	return `Reads the topics without joining a consumer group, so that it takes nothing from anybody. Each event is
decoded by the schema that its writer used: types and fields that this program does not know are shown too. What cannot
be decoded is shown with the reason, its length and its SHA-256.

Personal data shows as ***. With --pii it shows as it is, and what cannot be decoded, in hex: nobody knows which of its
bytes are personal.

A line holds the record's time, topic/partition/offset, type, key and sequence number, the last eight characters of the
ids of the event, of the message that caused it and of the request that all goes back to, and the data. What is there is
shown in the order of time; what comes, as it comes. Within a partition the order is always that of the log.

Examples:

  quadrille events                                     all that is there
  quadrille events --follow                            what happens from now on
  quadrille events --order 0199… --follow              the story of one order, from its beginning
  quadrille events --type OrderCancelled,PaymentDeclined --from '10m ago'
  quadrille events --topic product.events --limit 5 --json`
}

// Validate refuses what makes no sense.
func (c Command) Validate() error {
	if c.Limit < 0 {
		return errors.New("--limit must not be negative")
	}
	return nil
}

// Run prints until the end, the limit, the end of ctx or that of the reader at the other end of a pipe.
func (c Command) Run(ctx context.Context) error {
	// A write to a closed pipe is then an error like any other, not the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	err := c.print(ctx, os.Stdout, os.Stderr)
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func (c Command) print(ctx context.Context, to, notes io.Writer) error {
	logger := slog.New(slog.DiscardHandler)
	if c.Follow { // which outlives the broker, so that somebody should be told
		logger = slog.New(slog.NewTextHandler(notes, nil))
	}
	client, err := kafka.NewClient(
		kafka.Config{Brokers: c.Brokers, ClientID: "quadrille-events", Logger: logger},
		kgo.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	registry, err := serde.NewClient(c.Registry)
	if err != nil {
		return err
	}
	parts, err := c.partitions(ctx, client, notes)
	if err != nil {
		return err
	}

	out := bufio.NewWriter(to)
	p := printer{
		Command: c, viewer: serde.NewViewer(registry), out: out, notes: notes,
	}
	r := newReader(client, parts, func(record *kgo.Record) bool {
		return c.Order == "" || string(record.Key) == c.Order
	})
	err = r.stored(ctx, notes, p.print)
	if err == nil && c.Follow {
		if err = out.Flush(); err == nil {
			err = r.follow(ctx, p.print, out.Flush)
		}
	}
	if flushed := out.Flush(); err == nil || errors.Is(err, errEnough) || ctx.Err() != nil {
		return flushed
	}
	return err
}

// partitions returns those of the topics asked for, each with where to start and where it ends now.
func (c Command) partitions(ctx context.Context, client *kgo.Client, notes io.Writer) ([]*partition, error) {
	asking, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	names, catalogue := c.Topic, topicNames()
	if len(names) == 0 {
		names = catalogue
	}
	admin := kadm.NewClient(client)
	there, err := admin.ListTopics(asking, names...)
	if err != nil {
		return nil, away(c.Brokers, err)
	}
	var found []string
	for _, name := range names {
		switch {
		case there[name].Err == nil && there.Has(name):
			found = append(found, name)
		case len(c.Topic) > 0:
			return nil, fmt.Errorf("no topic is called %q; the catalogue has %s", name, strings.Join(catalogue, ", "))
		default:
			fmt.Fprintf(notes, "quadrille: topic %s is not there; `quadrille apply` creates it\n", name)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("none of the topics is at %s", strings.Join(c.Brokers, ", "))
	}
	parts, err := c.From.or(c.Follow && c.Order == "").bounds(asking, admin, found)
	if err != nil {
		return nil, away(c.Brokers, err)
	}
	return parts, nil
}

func away(brokers []string, err error) error {
	return fmt.Errorf("no answer from the broker at %s: %w; is the platform running? --brokers names another",
		strings.Join(brokers, ", "), err)
}
