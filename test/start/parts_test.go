// Package start tests how services start: in whatever order, and as what they say they are.
package start

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/pgserver"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/platform/mailbox"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/schemas"
	"github.com/quadrille-platform/quadrille/services/inventory"
	"github.com/quadrille-platform/quadrille/services/notification"
	"github.com/quadrille-platform/quadrille/services/order"
	"github.com/quadrille-platform/quadrille/services/payment"
	"github.com/quadrille-platform/quadrille/test/internal/parts"
)

// patience bounds every wait. It is no expectation: a condition comes when it comes.
const patience = 2 * time.Minute

var serviceNames = []string{order.Name, inventory.Name, payment.Name, notification.Name}

// platform is one of which nothing runs yet: every part has its address, and is started when the test says so.
type platform struct {
	*client.Client
	database string // host:port
	logs     map[string]*log
	ended    chan string // names of services that have ended
	running  map[string]bool
}

// log of a service.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count is how many lines have the text.
func (l *log) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	free, err := launch.FreeAddresses(6 + 2*len(serviceNames))
	if err != nil {
		t.Fatal(err)
	}
	take := func() (addr string) {
		addr, free = free[0], free[1:]
		return addr
	}
	addresses := client.Addresses{
		Kafka: take(), Registry: take(), Gateway: take(), SMTP: take(), Mail: take(),
		Services: make(map[string]string), Admin: make(map[string]string),
	}
	p := &platform{
		database: take(), logs: make(map[string]*log), ended: make(chan string, len(serviceNames)),
		running: make(map[string]bool),
	}
	for _, name := range serviceNames {
		addresses.Services[name], addresses.Admin[name], p.logs[name] = take(), take(), new(log)
	}
	p.Client = client.New(addresses)
	return p
}

// start starts a part, which is stopped when the test ends.
func (p *platform) start(t *testing.T, part string) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var server io.Closer
	var err error
	switch part {
	case "database":
		p.startDatabase(t)
	case "broker":
		server, err = broker.Start(broker.Config{Addr: p.Kafka, Logger: quiet})
	case "topics":
		err = p.createTopics(t.Context())
	case "registry":
		server, err = registry.Start(registry.Config{Addr: p.Registry, Compatible: serde.Compatible, Logger: quiet})
	case "schemas":
		err = p.registerSchemas(t.Context())
	case "gateway":
		server, err = gateway.Start(gateway.Config{Addr: p.Gateway, Logger: quiet})
	case "mailbox":
		server, err = mailbox.Start(mailbox.Config{SMTPAddr: p.SMTP, Addr: p.Mail, Logger: quiet})
	default:
		p.startService(t, part)
	}
	if err != nil {
		t.Fatal(part, err)
	}
	if server != nil {
		t.Cleanup(func() {
			if err := server.Close(); err != nil {
				t.Error(part, err)
			}
		})
	}
	p.running[part] = true
}

// startDatabase starts a server on which each service has a database of its own.
func (p *platform) startDatabase(t *testing.T) {
	t.Helper()
	_, port, err := net.SplitHostPort(p.database)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	server, err := pgserver.Start(t.Context(), pgserver.Config{Port: number})
	if errors.Is(err, pgserver.ErrNotInstalled) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NO START ORDER TESTED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range serviceNames {
		if _, err := parts.CreateDatabase(t.Context(), server.URL("postgres"), name); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *platform) createTopics(ctx context.Context) error {
	c, err := kafka.NewClient(kafka.Config{Brokers: []string{p.Kafka}, ClientID: "test"})
	if err != nil {
		return err
	}
	defer c.Close()
	var topics []kafka.Topic
	for _, t := range schemas.Topics() {
		topics = append(topics, kafka.Topic{Name: t.Name, Partitions: int32(t.Partitions)})
	}
	_, err = kafka.Apply(ctx, kadm.NewClient(c), topics)
	return err
}

func (p *platform) registerSchemas(ctx context.Context) error {
	c, err := serde.NewClient("http://" + p.Registry)
	if err != nil {
		return err
	}
	var types []serde.Type
	for _, r := range schemas.Records() {
		types = append(types, serde.Type(r))
	}
	return serde.Register(ctx, c, types)
}

// startService runs a service in this process.
func (p *platform) startService(t *testing.T, name string) {
	t.Helper()
	cfg := service.Config{
		HTTPAddr: p.Services[name], AdminAddr: p.Admin[name],
		DatabaseURL: "postgres://" + name + ":" + name + "@" + p.database + "/" + name + "?sslmode=disable",
		Brokers:     []string{p.Kafka}, RegistryURL: "http://" + p.Registry,
		Logger: slog.New(slog.NewTextHandler(p.logs[name], nil)),
	}
	run := map[string]func(context.Context) error{
		order.Name:     func(ctx context.Context) error { return order.Run(ctx, order.Config{Config: cfg}) },
		inventory.Name: func(ctx context.Context) error { return inventory.Run(ctx, inventory.Config{Config: cfg}) },
		payment.Name: func(ctx context.Context) error {
			return payment.Run(ctx, payment.Config{Config: cfg, GatewayURL: "http://" + p.Gateway})
		},
		notification.Name: func(ctx context.Context) error {
			return notification.Run(ctx, notification.Config{Config: cfg, SMTPAddr: p.SMTP})
		},
	}[name]
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			t.Errorf("%s ended: %v", name, err)
		}
		p.ended <- name
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
}
