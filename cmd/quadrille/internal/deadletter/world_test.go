package deadletter

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/cmd/quadrille/internal/operate"
	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

const (
	one = "01a1fe7f-e747-70bc-a76c-2f86559bc9b0"
	two = "01a1fe7f-e747-70bc-a76c-2f86559bc9b1"

	patience = 30 * time.Second
)

// garbage is no event.
var garbage = []byte("\x01not an event\x1b[2J")

// world is a running inventory service, and what it needs.
type world struct {
	client    *client.Client
	addresses string // as `up --json` prints them
	producer  *kgo.Client
	codec     *serde.Codec
}

func startWorld(t *testing.T) *world {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	b, err := broker.Start(broker.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	r, err := registry.Start(registry.Config{Compatible: serde.Compatible, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	w := &world{}
	schemaClient, err := serde.NewClient("http://" + r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	var types []serde.Type
	for _, record := range schemas.Records() {
		types = append(types, serde.Type(record))
	}
	if err := serde.Register(t.Context(), schemaClient, types); err != nil {
		t.Fatal(err)
	}
	if w.codec, err = serde.New(t.Context(), schemaClient, types); err != nil {
		t.Fatal(err)
	}
	if w.producer, err = kgo.NewClient(kgo.SeedBrokers(b.Addr())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.producer.Close)
	for _, topic := range schemas.Topics() {
		if _, err := kadm.NewClient(w.producer).CreateTopic(t.Context(), 1, 1, nil, topic.Name); err != nil {
			t.Fatal(err)
		}
	}

	var cfg inventory.Config
	cfg.HTTPAddr, cfg.AdminAddr = freeAddr(t), freeAddr(t)
	cfg.DatabaseURL = "sqlite://" + filepath.Join(t.TempDir(), "inventory.db")
	cfg.Brokers, cfg.RegistryURL, cfg.Logger = []string{b.Addr()}, "http://"+r.Addr(), quiet
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- inventory.Run(ctx, cfg) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("inventory: %v", err)
		}
	})
	addresses := client.Addresses{
		Kafka: b.Addr(), Registry: r.Addr(), Gateway: "127.0.0.1:1",
		Services: map[string]string{"inventory": cfg.HTTPAddr}, Admin: map[string]string{"inventory": cfg.AdminAddr},
	}
	text, err := json.Marshal(addresses)
	if err != nil {
		t.Fatal(err)
	}
	w.client, w.addresses = client.New(addresses), string(text)
	w.until(t, "the service is ready", func(ctx context.Context) error { return w.client.Ready(ctx, "inventory") })
	return w
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (w *world) until(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.Until(ctx, what, func() error { return try(ctx) }); err != nil {
		t.Fatal(err)
	}
}

// poison puts garbage under a key on the topic of orders, in an envelope that is well formed.
func (w *world) poison(t *testing.T, key string) {
	t.Helper()
	w.put(t, key, &schemas.OrderConfirmed{OrderID: key}, garbage)
}

// placed tells that an order was placed, of a product that does not exist: inventory publishes that it failed.
func (w *world) placed(t *testing.T, key string) {
	t.Helper()
	data := &schemas.OrderPlaced{
		OrderID: key, CustomerID: "ada", Email: "ada@example.com", PaymentMethod: "tok_visa", Currency: "EUR", Total: 2,
		Lines: []schemas.OrderLine{{SKU: "tea-001", Quantity: 2, UnitPrice: 1}}, PlacedAt: time.Now(),
	}
	value, err := w.codec.Append(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, key, data, value)
}

func (w *world) put(t *testing.T, key string, data event.Data, value []byte) {
	t.Helper()
	contract, _ := w.codec.TypeOf(data)
	e := event.Event{
		ID: event.NewID(), Type: contract.Name, Source: "/test", Key: key, Sequence: 1, Time: time.Now(),
		Cause: event.Cause{ID: event.NewID(), Correlation: event.NewID()},
	}
	record := &kgo.Record{Topic: contract.Topic, Key: []byte(key), Value: value}
	for _, h := range event.Headers(e) {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if err := w.producer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// letters waits until so many are open.
func (w *world) letters(t *testing.T, n int) []client.DeadLetter {
	t.Helper()
	var letters []client.DeadLetter
	w.until(t, "letters", func(ctx context.Context) (err error) {
		letters, _, err = w.client.DeadLetters(ctx, "inventory", client.DeadLetterFilter{}, 1000)
		if err == nil && len(letters) != n {
			err = errCount(len(letters))
		}
		return err
	})
	return letters
}

type errCount int

func (e errCount) Error() string { return strings.Repeat("a letter ", int(e)) }

// reservation waits until inventory has answered an order.
func (w *world) reservation(t *testing.T, order string) {
	t.Helper()
	w.until(t, "a reservation", func(ctx context.Context) error {
		_, err := w.client.Reservation(ctx, order)
		return err
	})
}

func (w *world) platform() operate.Platform { return operate.Platform{Against: w.addresses} }

// said is what a command prints to a user who answers.
type heard struct{ out, notes bytes.Buffer }

func (h *heard) talk(answer string) talk {
	return talk{asks: answer != "", from: strings.NewReader(answer), to: &h.out, notes: io.Writer(&h.notes)}
}
