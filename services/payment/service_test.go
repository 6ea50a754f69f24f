package payment_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/outbox"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/platform/gateway"
	"github.com/quadrille-platform/quadrille/schemas"
	payments "github.com/quadrille-platform/quadrille/services/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

const (
	orderID     = "0199b1a4-0000-7000-8000-00000000000a"
	correlation = "0199b1a4-0000-7000-8000-00000000000c"
	trace       = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	total       = 4_200
	patience    = 30 * time.Second
)

// purchase is the service without Kafka: messages enter its unit of work, its calls go to a real gateway.
type purchase struct {
	t     *testing.T
	def   service.Definition[store.Message, *store.State, payment.Event]
	unit  *work.Unit[store.Message, *store.State, payment.Event]
	facts chan work.Fact[payment.Event]
	sent  int

	// requests are those that have reached the gateway.
	requests chan *http.Request
}

func start(t *testing.T, db *sqldb.DB) *purchase {
	t.Helper()
	return startAt(t, db, 100*time.Millisecond, func(w http.ResponseWriter, r *http.Request, real http.Handler) {
		real.ServeHTTP(w, r)
	})
}

// startAt has serve stand between the service and the gateway.
func startAt(t *testing.T, db *sqldb.DB, timeout time.Duration,
	serve func(w http.ResponseWriter, r *http.Request, real http.Handler)) *purchase {
	t.Helper()
	for name, tables := range map[string]fs.FS{
		"work": work.Migrations(), "outbox": outbox.Migrations(), "service": store.Migrations(),
	} {
		if err := sqldb.Migrate(t.Context(), db, tables, name); err != nil {
			t.Fatal(err)
		}
	}
	real, err := gateway.Open(gateway.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := &purchase{t: t, facts: make(chan work.Fact[payment.Event], 100), requests: make(chan *http.Request, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests <- r
		serve(w, r, real)
	}))
	logger := slog.New(slog.DiscardHandler)
	cfg := payments.Config{GatewayURL: server.URL, GatewayTimeout: timeout}.WithDefaults()
	p.def = payments.Definition(cfg)
	p.unit = work.New(work.Service[store.Message, *store.State, payment.Event]{
		Name: p.def.Name, Load: p.def.Load, Save: p.def.Save, Publish: p.def.Publish,
		Encode: func(e *event.Event) ([]byte, error) {
			e.Topic, e.Type = "payment.events", fmt.Sprintf("%T", e.Data)
			return json.Marshal(e.Data)
		},
	}, db, work.Config{Logger: logger})
	tel, err := telemetry.Start(t.Context(), telemetry.Config{Service: p.def.Name, LogTo: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	background := p.def.Background(&service.Parts[store.Message, *store.State, payment.Event]{
		Config: cfg.Config, DB: db, Unit: p.unit, Telemetry: tel,
	})
	p.unit.OnCommit(func(facts []work.Fact[payment.Event]) {
		for _, f := range facts {
			p.facts <- f
		}
	})

	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range append(background, p.unit.Run) {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := real.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return p
}

// consume hands an event of another service to this one.
func (p *purchase) consume(data event.Data) {
	p.t.Helper()
	p.sent++
	id := event.Derive("test", p.t.Name(), p.sent)
	arrived := event.Now(time.Now)
	in, wanted, err := p.def.Input(event.Event{
		ID: id, Key: orderID, Data: data, Cause: event.Cause{Correlation: correlation, Trace: trace},
	}, arrived)
	if err != nil || !wanted {
		p.t.Fatalf("%T: wanted %t, error %v", data, wanted, err)
	}
	refusals, err := p.unit.Take(p.t.Context(), []work.Message[store.Message]{{
		Scope: "test", ID: id, Key: orderID, At: arrived, Input: in,
		Cause: event.Cause{ID: id, Correlation: correlation, Trace: trace},
	}})
	if err != nil || len(refusals) > 0 {
		p.t.Fatalf("%T: %v, refused %v", data, err, refusals)
	}
}

// next waits for the next event and checks whose it is.
func (p *purchase) next() payment.Event {
	p.t.Helper()
	select {
	case f := <-p.facts:
		if f.Cause.Correlation != correlation || f.Cause.Trace != trace || f.Cause.ID == "" {
			p.t.Errorf("%T has the cause %+v", f.Event, f.Cause)
		}
		return f.Event
	case <-time.After(patience):
		p.t.Fatal("nothing happened")
		return nil
	}
}

func (p *purchase) place(token gateway.Token) {
	p.t.Helper()
	p.consume(&schemas.StockReserved{OrderID: orderID})
	p.consume(&schemas.OrderPlaced{OrderID: orderID, PaymentMethod: string(token), Currency: "EUR", Total: total})
}

func (p *purchase) confirm() {
	p.t.Helper()
	p.consume(&schemas.OrderConfirmed{OrderID: orderID, Currency: "EUR", Total: total})
}

func (p *purchase) cancel() {
	p.t.Helper()
	p.consume(&schemas.OrderCancelled{OrderID: orderID, Currency: "EUR", Total: total})
}

// TestPurchase runs payments through unit of work, calls and gateway and lists what is said of them.
func TestPurchase(t *testing.T) {
	tests := map[string]struct {
		token gateway.Token
		steps []func(*purchase)
		want  []string
	}{
		"paid, then given back": {
			gateway.TokenVisa, []func(*purchase){(*purchase).confirm, (*purchase).cancel, nil},
			[]string{"Authorized 4200", "Captured 4200", "Refunded 4200"},
		},
		"the gateway fails twice": {
			gateway.TokenFlaky, []func(*purchase){(*purchase).confirm, nil},
			[]string{"Authorized 4200", "Captured 4200"},
		},
		"declined": {
			gateway.TokenInsufficientFunds, []func(*purchase){(*purchase).cancel, nil},
			[]string{"Declined insufficient_funds", "Voided 0"},
		},
		"a method that cannot be sent": {
			"my card", []func(*purchase){(*purchase).cancel, nil},
			[]string{"Declined unknown", "Voided 0"},
		},
		"the capture is refused": {
			gateway.TokenCaptureDeclined, []func(*purchase){(*purchase).confirm, (*purchase).cancel, nil},
			[]string{"Authorized 4200", "CaptureFailed declined", "Voided 4200"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				p := start(t, db)
				p.place(test.token)
				var got []string
				for _, step := range test.steps {
					got = append(got, describe(p.next()))
					if step != nil {
						step(p)
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
				p.checkRequests()
			})
		})
	}
}

// TestSilentGatewayIsFenced cancels a payment while its authorization is not answered.
func TestSilentGatewayIsFenced(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		p := start(t, db)
		p.place(gateway.TokenTimeout)
		for operationOf(p.request()) != string(payment.Authorize) {
		}
		p.cancel()
		if got := describe(p.next()); got != "Voided 0" {
			t.Errorf("the cancellation was answered with %q", got)
		}
		for operationOf(p.request()) != string(payment.Cancel) {
		}
	})
}

// request waits for the next request to reach the gateway.
func (p *purchase) request() *http.Request {
	p.t.Helper()
	select {
	case r := <-p.requests:
		return r
	case <-time.After(patience):
		p.t.Fatal("the gateway was not asked")
		return nil
	}
}

func operationOf(r *http.Request) string {
	return r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
}

// checkRequests checks that each request belongs to the order's trace and has the key of its operation.
func (p *purchase) checkRequests() {
	p.t.Helper()
	for range len(p.requests) {
		r := <-p.requests
		if traceID := strings.Split(trace, "-")[1]; !strings.Contains(r.Header.Get("traceparent"), traceID) {
			p.t.Errorf("%s is not part of the order's trace: %q", r.URL.Path, r.Header.Get("traceparent"))
		}
		operation, key := operationOf(r), r.Header.Get("Idempotency-Key")
		if operation != "payment_intents" && key != orderID+"/"+operation {
			p.t.Errorf("%s has the key %q", r.URL.Path, key)
		}
	}
}

func describe(e payment.Event) string {
	switch e := e.(type) {
	case payment.Authorized:
		return fmt.Sprintf("Authorized %d", e.Amount)
	case payment.Declined:
		return fmt.Sprintf("Declined %s", e.Reason)
	case payment.Captured:
		return fmt.Sprintf("Captured %d", e.Amount)
	case payment.CaptureFailed:
		return fmt.Sprintf("CaptureFailed %s", e.Reason)
	case payment.Voided:
		return fmt.Sprintf("Voided %d", e.Amount)
	case payment.Refunded:
		return fmt.Sprintf("Refunded %d", e.Amount)
	}
	return fmt.Sprintf("%T", e)
}

func TestRunNamesTheVariableAtFault(t *testing.T) {
	tests := map[string]payments.Config{
		"QUADRILLE_GATEWAY_TIMEOUT": {GatewayTimeout: time.Minute},
		"QUADRILLE_CALL_LIMIT":      {CallLimit: -1},
		"QUADRILLE_GATEWAY_URL":     {GatewayURL: "gateway:8090"},
	}
	for variable, cfg := range tests {
		if err := payments.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s: %v", variable, err)
		}
	}
}
