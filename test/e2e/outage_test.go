package e2e

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/platform/broker"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/platform/mailbox"
	"github.com/quadrille-platform/quadrille/platform/registry"
)

// front stands before a gateway, so that it can be stopped, hang or fail.
type front struct {
	addr   string
	proxy  http.Handler
	fault  atomic.Pointer[http.HandlerFunc]
	mu     sync.Mutex
	server *http.Server
}

// newFront returns one that passes everything on to a gateway of its own.
func newFront(t *testing.T) *front {
	t.Helper()
	real, err := gateway.Start(gateway.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: real.Addr()})
	proxy.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	f := &front{addr: freeAddr(t), proxy: proxy}
	f.start(t)
	t.Cleanup(func() {
		f.stop()
		if err := real.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if fault := f.fault.Load(); fault != nil {
		(*fault)(w, r)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

// start listens where it always does.
func (f *front) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", f.addr)
	if err != nil {
		t.Error(err)
		return
	}
	server := &http.Server{Handler: f, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	f.mu.Lock()
	f.server = server
	f.mu.Unlock()
	go func() { _ = server.Serve(listener) }() // ends with stop
}

func (f *front) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.server.Close()
}

// breaker is the state of that of a service: 0 closed, 1 half-open, 2 open.
func (p *platform) breaker(t *testing.T, service string) float64 {
	t.Helper()
	state, err := p.Metric(t.Context(), service, "quadrille_calls_breaker_state")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// caughtUp waits until no service is behind.
func (p *platform) caughtUp(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		eventually(t, service+" to catch up", func() error {
			lag, err := p.Metric(t.Context(), service, "quadrille_consumer_lag")
			if err == nil && lag > 0 {
				err = fmt.Errorf("it is %v records behind", lag)
			}
			return err
		})
	}
}

// cancelled waits until an order is, for a reason.
func (p *platform) cancelled(t *testing.T, id, reason string) {
	t.Helper()
	eventually(t, "cancellation of "+id, func() error {
		o, err := p.Order(t.Context(), id)
		if err == nil && (o.Status != "cancelled" || o.Reason != reason) {
			err = fmt.Errorf("it is %s (%s)", o.Status, o.Reason)
		}
		return err
	})
}

// intents that the gateway has of an order: one, or none if it never heard of it.
func (p *platform) intents(t *testing.T, id string) []client.Intent {
	t.Helper()
	var found struct {
		Intents []client.Intent `json:"payment_intents"`
	}
	address := "http://" + p.Gateway + "/v1/payment_intents?reference=" + id
	if _, err := call(http.MethodGet, address, nil, nil, &found); err != nil {
		t.Fatal(err)
	}
	return found.Intents
}

// TestTheGatewayIsAway: sagas are delayed, then time out; nothing else waits. When it is back, what was left over is
// voided or given back, and orders are confirmed again.
func TestTheGatewayIsAway(t *testing.T) {
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or nobody sees that the client left
		<-r.Context().Done()
	})
	failing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	for name, outage := range map[string]struct{ begin, end func(*front) }{
		"it is stopped": {(*front).stop, func(f *front) { f.start(t) }},
		"it hangs":      {func(f *front) { f.fault.Store(&silent) }, func(f *front) { f.fault.Store(nil) }},
		"it fails":      {func(f *front) { f.fault.Store(&failing) }, func(f *front) { f.fault.Store(nil) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t)
			p := up(t, "--ephemeral", "--set", "QUADRILLE_GATEWAY_URL=http://"+f.addr,
				"--set", "QUADRILLE_GATEWAY_TIMEOUT=1s", "--set", "QUADRILLE_ORDER_TIMEOUT=15s")
			p.Gateway = f.addr
			paid := p.place(t, "tok_visa", line{"tea-001", 1})
			if o := p.completed(t, paid.ID); o.Status != "confirmed" {
				t.Fatalf("before the outage an order ended as %+v", o)
			}

			outage.begin(f)
			var late []string
			for range 20 {
				late = append(late, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
			}
			eventually(t, "opening of the breaker", func() error {
				if p.breaker(t, "payment") == 0 {
					return fmt.Errorf("it is closed")
				}
				return nil
			})
			// Nobody has called the gateway for this one, so that nothing is left to be fenced.
			changed := p.place(t, "tok_visa", line{"tea-001", 1})
			p.cancel(t, changed.ID)
			p.cancelled(t, changed.ID, "customer_request")
			p.cancel(t, paid.ID)
			for _, id := range late {
				p.cancelled(t, id, "timed_out")
			}
			p.caughtUp(t, "order", "inventory", "payment", "notification")
			eventually(t, "stock to be released", func() error {
				if l := p.levels(t, "tea-001"); l.Reserved != 0 || l.Sold != 0 {
					return fmt.Errorf("it is %+v", l)
				}
				return nil
			})
			for service := range p.Admin {
				if err := p.Ready(t.Context(), service); err != nil {
					t.Errorf("during the outage: %v", err)
				}
			}

			outage.end(f)
			began := time.Now()
			if o := p.completed(t, p.place(t, "tok_visa", line{"tea-001", 1}).ID); o.Status != "confirmed" {
				t.Errorf("after the outage an order ended as %+v", o)
			}
			t.Logf("the first order after its return was completed after %s", time.Since(began))
			for _, id := range append(late, changed.ID, paid.ID) {
				step, status := "voided", "canceled"
				if id == paid.ID {
					step, status = "refunded", "refunded"
				}
				if o := p.completed(t, id); o.Steps[1].Status != step {
					t.Errorf("want it %s, %s ended as %+v", step, id, o)
				}
				payment, err := p.Payment(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				intents := p.intents(t, id)
				switch {
				case payment.Calls == 0 && len(intents) == 0:
				case payment.Calls == 0 || len(intents) != 1 || intents[0].Status != status:
					t.Errorf("after %d calls the gateway has %+v for a cancelled order, want it %s", payment.Calls,
						intents, status)
				}
			}
			t.Logf("all that was left was settled after %s", time.Since(began))
			if state := p.breaker(t, "payment"); state != 0 {
				t.Errorf("the breaker's state is %v", state)
			}
		})
	}
}

// TestTheBrokerIsAwayFromAllServices: orders are accepted, services stay in service and say what is missing, and every
// saga ends once the broker is back with what it had.
func TestTheBrokerIsAwayFromAllServices(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	cfg := broker.Config{Addr: freeAddr(t), Data: t.TempDir(), Logger: quiet}
	b, err := broker.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Start(registry.Config{Compatible: serde.Compatible, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path, err := built.Path()
	if err != nil {
		t.Fatal(err)
	}
	at := []string{"QUADRILLE_KAFKA_BROKERS=" + cfg.Addr, "QUADRILLE_REGISTRY_URL=http://" + r.Addr()}
	apply := exec.Command(path, "apply")
	apply.Env = append(os.Environ(), at...)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	p := up(t, "--ephemeral", "--set", at[0], "--set", at[1])
	if o := p.completed(t, p.place(t, "tok_visa", line{"tea-001", 1}).ID); o.Status != "confirmed" {
		t.Fatalf("before the outage an order ended as %+v", o)
	}

	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 50 {
		ids = append(ids, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
	}
	p.cancel(t, ids[0])
	for service := range p.Admin {
		eventually(t, service+" to be degraded", func() error {
			readiness := make(map[string]string)
			_, err := call(http.MethodGet, "http://"+p.Admin[service]+"/readyz", nil, nil, &readiness)
			if err == nil && (readiness["status"] != "degraded" || readiness["consumer"] == "") {
				err = fmt.Errorf("it says %v", readiness)
			}
			return err
		})
	}

	if b, err = broker.Start(cfg); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i, id := range ids {
		want := "confirmed"
		if i == 0 {
			want = "cancelled"
		}
		if o := p.completed(t, id); o.Status != want {
			t.Errorf("order %d ended as %+v", i, o)
		}
	}
	t.Logf("all sagas had ended %s after the broker's return", time.Since(began))
	if err := p.Stop(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// TestAMailServerThatHangsHoldsUpNothing: it takes connections and says nothing. Orders go on, and each mail goes out
// once it speaks.
func TestAMailServerThatHangsHoldsUpNothing(t *testing.T) {
	silent, err := net.Listen("tcp", freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	addr := silent.Addr().String()
	var taking sync.WaitGroup
	taking.Go(func() {
		var held []net.Conn
		for {
			conn, err := silent.Accept()
			if err != nil {
				break
			}
			held = append(held, conn)
		}
		for _, conn := range held {
			_ = conn.Close()
		}
	})
	p := up(t, "--ephemeral", "--set", "QUADRILLE_SMTP_ADDR="+addr, "--set", "QUADRILLE_SMTP_TIMEOUT=500ms")
	var ids []string
	for range 20 {
		ids = append(ids, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
	}
	for _, id := range ids {
		if o := p.completed(t, id); o.Status != "confirmed" {
			t.Errorf("ended as %+v", o)
		}
	}
	eventually(t, "opening of the breaker", func() error {
		if p.breaker(t, "notification") == 0 {
			return fmt.Errorf("it is closed")
		}
		return nil
	})
	p.caughtUp(t, "notification")
	for _, id := range ids {
		p.told(t, id, "confirmation pending")
	}

	_ = silent.Close()
	taking.Wait()
	m, err := mailbox.Start(mailbox.Config{SMTPAddr: addr, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	began := time.Now()
	for _, id := range ids {
		p.told(t, id, "confirmation sent")
		arrived(t, m.Addr(), id, 1)
	}
	t.Logf("the mails were sent %s after the server spoke", time.Since(began))
}
