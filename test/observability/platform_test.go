//go:build observability

package observability

import (
	"context"
	"database/sql"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	_ "modernc.org/sqlite" // locks a service's database, as nothing of ours would

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/platform/launch"
	"github.com/quadrille-platform/quadrille/platform/registry"
	"github.com/quadrille-platform/quadrille/test/internal/binary"
)

// platform is a running `quadrille up` whose broker and gateway are this test's, to be broken, and whose notification
// is a process of its own, to be killed.
type platform struct {
	*launch.Platform
	path, data   string
	broker       *broker.Broker
	brokerConfig broker.Config
	gatewayFails atomic.Bool
	notification *launch.Process
	collector    *collector // nil: it was not built
}

func start(t *testing.T) *platform {
	t.Helper()
	p := &platform{path: filepath.Join(t.TempDir(), "quadrille"), data: t.TempDir()}
	if err := binary.Build(p.path, binary.Quadrille); err != nil {
		t.Fatal(err)
	}
	addrs, err := launch.FreeAddresses(1)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	p.brokerConfig = broker.Config{Addr: addrs[0], Data: t.TempDir(), Logger: quiet}
	p.brokerBack(t)
	t.Cleanup(func() { p.brokerAway(t) })
	r, err := registry.Start(registry.Config{Compatible: serde.Compatible, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	p.collector = collect(t, p.brokerConfig.Addr)
	variables := []string{
		"QUADRILLE_KAFKA_BROKERS=" + p.brokerConfig.Addr, "QUADRILLE_REGISTRY_URL=http://" + r.Addr(),
	}
	apply := exec.Command(p.path, "apply")
	apply.Env = append(os.Environ(), variables...)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	if p.collector != nil {
		variables = append(variables, "OTEL_EXPORTER_OTLP_ENDPOINT="+p.collector.otlp)
	}
	p.up(t, append(variables, "QUADRILLE_GATEWAY_URL=http://"+p.gateway(t),
		"QUADRILLE_ORDER_STUCK_AFTER=5s", "QUADRILLE_ORDER_TIMEOUT=8s", "QUADRILLE_STALL=5s"))
	p.Kafka = p.brokerConfig.Addr
	return p
}

func (p *platform) up(t *testing.T, variables []string) {
	t.Helper()
	args := []string{"--free-ports", "--data", p.data, "--without", "notification"}
	for _, variable := range variables {
		args = append(args, "--set", variable)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	if p.Platform, err = launch.Up(ctx, launch.Config{Path: p.path, Args: args}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := p.notification.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	p.startNotification(t)
}

// startNotification runs the service that `up` leaves out, until the end of the whole test.
func (p *platform) startNotification(t *testing.T) {
	t.Helper()
	process, err := launch.Start(launch.Config{
		Path: p.path, Args: []string{"service", "notification", "--lifeline"}, Env: p.LeftOut["notification"],
	})
	if err != nil {
		t.Fatal(err)
	}
	p.notification = process
	eventually(t, "notification to be ready", func() error { return p.Ready(t.Context(), "notification") })
}

// gateway returns the address of a gateway that fails when it is told to.
func (p *platform) gateway(t *testing.T) string {
	t.Helper()
	sound, err := gateway.Open(gateway.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.gatewayFails.Load() {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		sound.ServeHTTP(w, r)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		_ = sound.Close()
	})
	return listener.Addr().String()
}

func (p *platform) brokerAway(t *testing.T) {
	t.Helper()
	if p.broker == nil {
		return
	}
	if err := p.broker.Close(); err != nil {
		t.Error(err)
	}
	p.broker = nil
}

func (p *platform) brokerBack(t *testing.T) {
	t.Helper()
	var err error
	if p.broker, err = broker.Start(p.brokerConfig); err != nil {
		t.Fatal(err)
	}
}

// lock holds the database of a service, so that it cannot write, until release is called.
func (p *platform) lock(t *testing.T, service string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(p.data, service+".db")+"?_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = tx.Rollback() // the end of the test rolls it back too
		_ = db.Close()
	}
}

// poison appends a record that nobody can read.
func (p *platform) poison(t *testing.T, topic string) {
	t.Helper()
	kafka, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	record := &kgo.Record{Topic: topic, Key: []byte("poison"), Value: []byte("rubbish")}
	if err := kafka.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// look asks every API for something, as its users do all the time.
func (p *platform) look(ctx context.Context, order string) {
	_, _ = p.Order(ctx, order)
	_, _ = p.Levels(ctx, product)
	_, _ = p.Payment(ctx, order)
	_, _ = p.Notifications(ctx, order)
}

// product is what the load buys.
const product = "watched"

var price = client.Money{Amount: 100, Currency: "EUR"}
