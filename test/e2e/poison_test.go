package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/test/checker"
)

// unknownSchema begins a value that was written with the schema 999,999,999, an id that no registry has given.
const unknownSchema = "\x00\x3b\x9a\xc9\xff"

// strangers are what events of a topic that nobody can read say they are.
var strangers = map[string]string{
	"order.events": "quadrille.order.OrderConfirmed", "inventory.events": "quadrille.inventory.StockReserved",
}

// poisoner appends records to the platform's topics that nobody can handle.
type poisoner struct {
	kafka *kgo.Client

	mu       sync.Mutex
	injected []checker.Injected
}

func newPoisoner(brokers []string) (*poisoner, error) {
	kafka, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return nil, err
	}
	return &poisoner{kafka: kafka}, nil
}

// rubbish is dead at once, and holds nothing back but its own key.
func (p *poisoner) rubbish(ctx context.Context, topic, key string) error {
	return p.append(ctx, &kgo.Record{Topic: topic, Key: []byte(key), Value: []byte("rubbish of " + key)})
}

// stranger is an event about an order whose schema nobody knows: it is parked, and the order's later events behind it.
func (p *poisoner) stranger(ctx context.Context, topic, orderID string) error {
	headers := event.Headers(event.Event{
		ID: event.NewID(), Type: strangers[topic], Source: "/quadrille/test", Key: orderID, Sequence: 1, Time: event.Now(time.Now), Cause: event.Cause{ID: event.NewID(), Correlation: event.NewID()},
	})
	r := &kgo.Record{Topic: topic, Key: []byte(orderID), Value: []byte(unknownSchema + "stranger")}
	for _, h := range headers {
		r.Headers = append(r.Headers, kgo.RecordHeader(h))
	}
	return p.append(ctx, r)
}

func (p *poisoner) append(ctx context.Context, r *kgo.Record) error {
	if err := p.kafka.ProduceSync(ctx, r).FirstErr(); err != nil {
		return fmt.Errorf("poison %s: %w", r.Topic, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.injected = append(p.injected, checker.Injected{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Poison: true,
	})
	return nil
}

// appended are the records so far.
func (p *poisoner) appended() []checker.Injected {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]checker.Injected(nil), p.injected...)
}

// discardPoison gives up what is bad until nothing is held back any more: what waits behind it is handled then.
func discardPoison(ctx context.Context, c *client.Client, services []string) error {
	for _, service := range services {
		err := client.Until(ctx, service+" to have no open letters", func() error {
			open, _, err := c.DeadLetters(ctx, service, client.DeadLetterFilter{}, 100)
			if err != nil || len(open) == 0 {
				return err
			}
			for _, letter := range open {
				if !letter.Head || letter.Class != "unknown_schema" && letter.Class != "headers" {
					continue
				}
				_, err := c.Rule(ctx, service, letter.ID, client.Discard, "ada", "It was put there by a test.")
				if err != nil && client.StatusOf(err) == 0 {
					return err
				}
			}
			return fmt.Errorf("there are %d, the first is %+v", len(open), open[0])
		})
		if err != nil {
			return err
		}
	}
	return nil
}
