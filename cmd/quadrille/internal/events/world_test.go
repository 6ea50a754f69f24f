package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
)

const (
	one = "01a1fe7f-e747-70bc-a76c-2f86559bc9b0"
	two = "01a1fe7f-e747-70bc-a76c-2f86559bc9b1"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world has the topics and schemas of the catalogue, and nothing on them.
type world struct {
	broker   *broker.Broker
	registry string
	producer *kgo.Client
	codec    *serde.Codec
}

func startWorld(t *testing.T) *world {
	t.Helper()
	b, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	r, err := registry.Start(registry.Config{Compatible: serde.Compatible})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	w := &world{broker: b, registry: "http://" + r.Addr()}
	client, err := serde.NewClient(w.registry)
	if err != nil {
		t.Fatal(err)
	}
	var types []serde.Type
	for _, record := range schemas.Records() {
		types = append(types, serde.Type(record))
	}
	if err := serde.Register(t.Context(), client, types); err != nil {
		t.Fatal(err)
	}
	if w.codec, err = serde.New(t.Context(), client, types); err != nil {
		t.Fatal(err)
	}
	w.producer, err = kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.producer.Close)
	for _, topic := range topicNames() {
		if _, err := kadm.NewClient(w.producer).CreateTopic(t.Context(), 3, 1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// put produces an event of an order as so many seconds after the start.
func (w *world) put(t *testing.T, partition int32, second int, order string, data event.Data) {
	t.Helper()
	value, err := w.codec.Append(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	contract, _ := w.codec.TypeOf(data)
	at := start.Add(time.Duration(second) * time.Second)
	e := event.Event{
		ID: "0192f0c1-0000-7000-8000-000000000001", Type: contract.Name, Source: "/test", Key: order, Sequence: 1, Time: at,
		Cause: event.Cause{ID: "0192f0c1-0000-7000-8000-0000000000ca", Correlation: "0192f0c1-0000-7000-8000-0000000000c0"},
	}
	var headers []kgo.RecordHeader
	for _, h := range event.Headers(e) {
		headers = append(headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	w.raw(t, &kgo.Record{
		Topic: contract.Topic, Partition: partition, Timestamp: at, Key: []byte(order), Value: value, Headers: headers,
	})
}

func (w *world) raw(t *testing.T, records ...*kgo.Record) {
	t.Helper()
	if err := w.producer.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func (w *world) command() Command {
	return Command{Brokers: []string{w.broker.Addr()}, Registry: w.registry}
}

// events that c prints as JSON.
func shown(t *testing.T, c Command) []Event {
	t.Helper()
	c.JSON = true
	var out, notes bytes.Buffer
	if err := c.print(t.Context(), &out, &notes); err != nil || notes.Len() > 0 {
		t.Fatalf("%v, notes %q", err, notes.String())
	}
	return parse(t, out.String())
}

func parse(t *testing.T, lines string) []Event {
	t.Helper()
	var events []Event
	for line := range strings.Lines(lines) {
		var e Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

// names are "seconds after the start: type", in the order shown.
func names(events []Event) []string {
	found := []string{}
	for _, e := range events {
		found = append(found, fmt.Sprintf("%.0f: %s", e.Time.Sub(start).Seconds(), short(e.Type)))
	}
	return found
}

func placed(order string) event.Data {
	return &schemas.OrderPlaced{
		OrderID: order, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa", Currency: "EUR", Total: 100,
		Lines: []schemas.OrderLine{{SKU: "tea-001", Quantity: 1, UnitPrice: 100}}, PlacedAt: start,
	}
}

// pipe lets a test wait for what a command prints.
type pipe struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (p *pipe) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Write(data)
	select {
	case p.more <- struct{}{}:
	default:
	}
	return len(data), nil
}

// until waits for so many lines and returns them all.
func (p *pipe) until(t *testing.T, lines int) string {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		p.mu.Lock()
		text := p.text.String()
		p.mu.Unlock()
		if strings.Count(text, "\n") >= lines {
			return text
		}
		select {
		case <-p.more:
		case <-deadline:
			t.Fatalf("waited for %d lines, there are\n%s", lines, text)
		}
	}
}
