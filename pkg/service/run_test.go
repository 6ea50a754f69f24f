package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/kafka"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// The service under test is a till: each sale is told as an event, which it hears itself.
type (
	sale struct {
		id   string
		told bool // by an event: nothing is left to be done
		at   time.Time
	}
	sold struct {
		id string
		at time.Time
	}
	soldEvent struct {
		ID string `avro:"id"`
	}
)

func (*soldEvent) EventType() string { return "test.Sold" }

var errClosed = errors.New("the till is closed")

func (s sale) Decide(struct{}) ([]sold, error) {
	if s.id == "closed" {
		return nil, errClosed
	}
	if s.told {
		return nil, nil
	}
	return []sold{{s.id, s.at}}, nil
}

var soldType = serde.Type{
	Name: "test.Sold", Topic: "till.events", Owner: "till", Consumers: []string{"till"}, New: func() event.Data { return new(soldEvent) },
	Schema: `{"type":"record","name":"Sold","namespace":"test","fields":[{"name":"id","type":"string"}]}`,
}

type (
	till   = service.Definition[sale, struct{}, sold]
	parts  = service.Parts[sale, struct{}, sold]
	sellIn struct {
		httpapi.Idempotency
		Body struct {
			ID string `json:"id"`
		}
	}
	sellOut struct {
		Status int
		Body   struct {
			ID string `json:"id"`
		}
	}
)

func routes(api huma.API, p *parts) {
	huma.Register(api, huma.Operation{
		OperationID: "sell", Method: http.MethodPost, Path: "/v1/sales", DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, in *sellIn) (*sellOut, error) {
		at := p.Now()
		receipt, err := p.Do(ctx, service.Command[sale]{
			Idempotency: in.Key, Body: in.Body, Key: in.Body.ID, Status: http.StatusAccepted, At: at,
			Input: sale{id: in.Body.ID, at: at},
		})
		if errors.Is(err, errClosed) {
			return nil, httpapi.Invalid("id", httpapi.FieldCharacters, "")
		}
		out := &sellOut{Status: receipt.Status}
		out.Body.ID = receipt.Key
		return out, err
	})
}

func newTill(heard chan<- event.Event) till {
	return till{
		Name: "till", Title: "Sales", Publishes: []serde.Type{soldType}, Consumes: []serde.Type{soldType},
		Migrations: fstest.MapFS{"00001_till.sql": {Data: []byte("-- +goose Up\nCREATE TABLE till (id TEXT NOT NULL);\n")}},
		Load:       func(context.Context, *sqldb.Tx, []sale) (struct{}, error) { return struct{}{}, nil },
		Save:       func(context.Context, *sqldb.Tx, struct{}, []work.Fact[sold]) error { return nil },
		Publish: func(s sold) (event.Event, bool) {
			return event.Event{Key: s.id, Sequence: 1, Time: s.at, Data: &soldEvent{s.id}}, true
		},
		Input: func(e event.Event, at time.Time) (sale, bool, error) {
			heard <- e
			return sale{id: e.Key, told: true, at: at}, true, nil
		},
		Routes: routes,
		Admin: func(api huma.API, _ *parts) {
			huma.Register(api, huma.Operation{OperationID: "look", Method: http.MethodGet, Path: "/admin/v1/till"},
				func(context.Context, *struct{}) (*sellOut, error) { return &sellOut{}, nil })
		},
	}
}

// platform is what a service needs around it.
type platform struct {
	cluster  *kfake.Cluster
	registry *srfake.Registry
	cfg      service.Config
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, soldType.Topic, "till.deadletter"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	p := &platform{cluster: cluster, registry: srfake.New()}
	t.Cleanup(p.registry.Close)
	client, err := serde.NewClient(p.registry.URL())
	if err != nil {
		t.Fatal(err)
	}
	if err := serde.Register(t.Context(), client, []serde.Type{soldType}); err != nil {
		t.Fatal(err)
	}
	p.cfg = service.Config{
		HTTPAddr: freeAddr(t), AdminAddr: freeAddr(t), DatabaseURL: "sqlite://" + filepath.Join(t.TempDir(), "till.db"),
		Brokers: cluster.ListenAddrs(), RegistryURL: p.registry.URL(),
		Logger: slog.New(slog.DiscardHandler),
	}.WithDefaults("", "", "")
	return p
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

// run starts the till and returns what it hears and what stops it.
func (p *platform) run(t *testing.T) (heard <-chan event.Event, stop func() error) {
	t.Helper()
	events, ended := make(chan event.Event, 10), make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- service.Run(ctx, p.cfg, newTill(events)) }()
	t.Cleanup(cancel)
	return events, func() error {
		cancel()
		return <-ended
	}
}

// awaitReadiness asks /readyz until its answer fits.
func (p *platform) awaitReadiness(t *testing.T, fits func(status int, faults map[string]string) bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for ; ; <-ticker.C { // the deadline is that of the test run
		response, err := http.Get("http://" + p.cfg.AdminAddr + "/readyz")
		if err != nil {
			continue
		}
		faults := make(map[string]string)
		err = json.NewDecoder(response.Body).Decode(&faults)
		response.Body.Close()
		if err == nil && fits(response.StatusCode, faults) {
			return
		}
	}
}

func (p *platform) sell(t *testing.T, id, key, traceparent string) *http.Response {
	t.Helper()
	body := strings.NewReader(`{"id":"` + id + `"}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.cfg.HTTPAddr+"/v1/sales", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{httpapi.IdempotencyHeader: key, "traceparent": traceparent} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestServiceFromCommandToEventAndBack(t *testing.T) {
	p := newPlatform(t)
	heard, stop := p.run(t)
	p.awaitReadiness(t, func(status int, _ map[string]string) bool { return status == http.StatusOK })

	const trace = "0af7651916cd43dd8448eb211c80319c"
	first := p.sell(t, "a", "key-1", "00-"+trace+"-b7ad6b7169203331-01")
	if first.StatusCode != http.StatusAccepted {
		t.Fatalf("status %d", first.StatusCode)
	}
	e := <-heard
	if e.Type != soldType.Name || e.Key != "a" || e.Source != "/quadrille/till" || e.Data.(*soldEvent).ID != "a" {
		t.Errorf("event %+v", e)
	}
	if e.Cause.Correlation != first.Header.Get(httpapi.CorrelationHeader) || e.Cause.Correlation == "" {
		t.Errorf("correlation %q of the event, %q of the answer", e.Cause.Correlation,
			first.Header.Get(httpapi.CorrelationHeader))
	}
	if !strings.HasPrefix(e.Cause.Trace, "00-"+trace) {
		t.Errorf("G11: trace %q is not that of the request", e.Cause.Trace)
	}

	for name, test := range map[string]struct {
		id, key string
		want    int
	}{
		"a repeat is answered as the first":    {"a", "key-1", http.StatusAccepted},
		"a key with another body is refused":   {"b", "key-1", http.StatusConflict},
		"a refusal of the domain is its own":   {"closed", "", http.StatusUnprocessableEntity},
		"a command without a key is done once": {"c", "", http.StatusAccepted},
	} {
		if got := p.sell(t, test.id, test.key, "").StatusCode; got != test.want {
			t.Errorf("%s: status %d, want %d", name, got, test.want)
		}
	}
	if e := <-heard; e.Key != "c" {
		t.Errorf("heard of %q, though only c was sold since", e.Key)
	}

	if err := stop(); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
	if got := len(p.cluster.GroupInfo("till").Members); got != 0 {
		t.Errorf("%d members in the group after the stop", got)
	}
	for _, addr := range []string{p.cfg.HTTPAddr, p.cfg.AdminAddr} {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("%s listens still", addr)
		}
	}

	// A successor takes over where it ended, on the same addresses, database and group.
	heard, stop = p.run(t)
	p.awaitReadiness(t, func(status int, _ map[string]string) bool { return status == http.StatusOK })
	p.sell(t, "d", "", "")
	if e := <-heard; e.Key != "d" {
		t.Errorf("the successor heard of %q, want d", e.Key)
	}
	if err := stop(); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}

func TestServiceSaysWhatItWaitsForAndCanBeStopped(t *testing.T) {
	nothing := "127.0.0.1:1"
	tests := map[string]struct {
		take func(*platform)
		part string
		want []string
		// status of a command meanwhile
		status int
	}{
		"the database": {
			func(p *platform) { p.cfg.DatabaseURL = "postgres://" + nothing + "/till" },
			"start", []string{"waiting for database: QUADRILLE_DATABASE_URL: ", "cannot be reached; start it"},
			http.StatusServiceUnavailable,
		},
		"the migration job": {
			func(p *platform) { p.cfg.SkipMigrations = true },
			"start", []string{"waiting for migration: ", "run the migration job, `quadrille apply --databases"},
			http.StatusServiceUnavailable,
		},
		"the registry": {
			func(p *platform) { p.cfg.RegistryURL = "http://" + nothing },
			"start", []string{"waiting for schemas: QUADRILLE_REGISTRY_URL: ", "cannot be reached; start it"},
			http.StatusServiceUnavailable,
		},
		"the schemas": {
			func(p *platform) { p.registry.Reset() },
			"start", []string{"waiting for schemas: ", "test.Sold", "quadrille apply"}, http.StatusServiceUnavailable,
		},
		"the broker": {
			func(p *platform) { p.cfg.Brokers = []string{nothing} },
			"topics", []string{"waiting for topics: QUADRILLE_KAFKA_BROKERS: ", "cannot be reached; start them"},
			http.StatusAccepted,
		},
		"the topics": {
			func(p *platform) { _ = p.cluster.DeleteTopic(soldType.Topic) },
			"topics", []string{"waiting for topics: ", "till.events", "quadrille apply"}, http.StatusAccepted,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			test.take(p)
			_, stop := p.run(t)
			p.awaitReadiness(t, func(status int, faults map[string]string) bool {
				for _, want := range test.want {
					if !strings.Contains(faults[test.part], want) {
						return false
					}
				}
				return status == http.StatusServiceUnavailable
			})
			answer := p.sell(t, "a", "", "")
			if answer.StatusCode != test.status {
				t.Errorf("a command is answered %d, want %d", answer.StatusCode, test.status)
			}
			if test.status == http.StatusServiceUnavailable && (answer.Header.Get("Retry-After") == "" ||
				answer.Header.Get("Content-Type") != "application/problem+json") {
				t.Errorf("refused with %v", answer.Header)
			}
			if err := stop(); err != nil {
				t.Errorf("stopped while it waits = %v", err)
			}
		})
	}
}

func TestServiceThatStartsWithoutABrokerCatchesUp(t *testing.T) {
	p := newPlatform(t)
	addr := freeAddr(t)
	p.cfg.Brokers = []string{addr}
	heard, stop := p.run(t)
	p.awaitReadiness(t, func(_ int, faults map[string]string) bool {
		return faults["start"] == "" && faults["topics"] != "" && faults["consumer"] == "not started yet"
	})
	if status := p.sell(t, "a", "", "").StatusCode; status != http.StatusAccepted {
		t.Fatalf("status %d without a broker", status)
	}

	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(number), kfake.SeedTopics(2, soldType.Topic, "till.deadletter"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	if e := <-heard; e.Key != "a" {
		t.Errorf("heard of %q, want a", e.Key)
	}
	p.awaitReadiness(t, func(status int, _ map[string]string) bool { return status == http.StatusOK })
	if err := stop(); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}

func TestGarbageIsADeadLetterAndTheServiceGoesOn(t *testing.T) {
	p := newPlatform(t)
	client, err := kafka.NewClient(kafka.Config{Brokers: p.cfg.Brokers, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), garbage()).FirstErr(); err != nil {
		t.Fatal(err)
	}
	heard, stop := p.run(t)
	var letters struct {
		Items []struct{ State, Class string }
	}
	p.awaitReadiness(t, func(status int, _ map[string]string) bool {
		if status != http.StatusOK {
			return false
		}
		answer, err := http.Get("http://" + p.cfg.AdminAddr + "/admin/v1/dead-letters")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&letters); err != nil {
			t.Fatal(err)
		}
		return len(letters.Items) > 0
	})
	if l := letters.Items[0]; l.State != "dead" || l.Class != "headers" {
		t.Errorf("G8: the letter is %+v", l)
	}
	if status := p.sell(t, "a", "", "").StatusCode; status != http.StatusAccepted {
		t.Errorf("status %d beside a dead letter", status)
	}
	if e := <-heard; e.Key != "a" {
		t.Errorf("heard of %q, want a", e.Key)
	}
	if err := stop(); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}

func TestServiceRefusesToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		spoil func(*service.Config)
		want  string
	}{
		"on a bad configuration": {func(c *service.Config) { c.Brokers = nil }, "QUADRILLE_KAFKA_BROKERS"},
		"on a busy port":         {func(c *service.Config) { c.HTTPAddr = taken.Addr().String() }, "QUADRILLE_HTTP_ADDR"},
		"on a busy admin port":   {func(c *service.Config) { c.AdminAddr = taken.Addr().String() }, "QUADRILLE_ADMIN_ADDR"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t)
			test.spoil(&p.cfg)
			if err := service.Run(t.Context(), p.cfg, newTill(nil)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v does not name %s", err, test.want)
			}
		})
	}
}

func TestServiceThatOverstepsTheCatalogueDoesNotStart(t *testing.T) {
	p := newPlatform(t)
	other := func(owner string, consumers ...string) []serde.Type {
		o := soldType
		o.Owner, o.Consumers = owner, consumers
		return []serde.Type{o}
	}
	for name, test := range map[string]struct {
		spoil func(*till)
		want  []string
	}{
		"by what it reads": {
			func(d *till) { d.Consumes = other("shop", "desk", "audit") },
			[]string{"till must not read test.Sold", "grants to desk, audit", "add till to its consumers"},
		},
		"by what nobody may read": {
			func(d *till) { d.Consumes = other("shop") },
			[]string{"till must not read test.Sold", "grants to nobody"},
		},
		"by what it publishes": {
			func(d *till) { d.Publishes = other("shop", "till") },
			[]string{"till must not publish test.Sold, which shop owns", "the owner of till.events"},
		},
		"by both, and is told of both": {
			func(d *till) { d.Publishes, d.Consumes = other("shop"), other("shop") },
			[]string{"must not publish test.Sold", "must not read test.Sold"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			definition := newTill(nil)
			test.spoil(&definition)
			err := service.Run(t.Context(), p.cfg, definition)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v does not say %q", err, want)
				}
			}
		})
	}
}

// garbage is a record that no service can read.
func garbage() *kgo.Record {
	return &kgo.Record{Topic: soldType.Topic, Key: []byte("a"), Value: []byte("garbage")}
}
