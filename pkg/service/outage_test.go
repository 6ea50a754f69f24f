package service_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// counted is a till that tells how many sales are in its books.
func counted(heard chan<- event.Event) till {
	definition := newTill(heard)
	definition.Routes = func(api huma.API, p *parts) {
		routes(api, p)
		huma.Get(api, "/v1/sales", func(ctx context.Context, _ *struct{}) (*struct{ Body int64 }, error) {
			n, err := sales(ctx, p.DB)
			if err != nil {
				return nil, service.Problem(err)
			}
			return &struct{ Body int64 }{n}, nil
		})
	}
	return definition
}

// sales counts the commands that were done.
func sales(ctx context.Context, db *sqldb.DB) (n int64, err error) {
	err = db.Read(ctx, func(tx *sqldb.Tx) error {
		n, err = sqldb.Get[int64](ctx, tx, `SELECT count(*) FROM inbox WHERE scope = $1`, "POST /v1/sales")
		return err
	})
	return n, err
}

// runs starts a definition and returns what stops it.
func (p *platform) runs(t *testing.T, definition till) (stop func() error) {
	t.Helper()
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- service.Run(ctx, p.cfg, definition) }()
	t.Cleanup(cancel)
	return func() error {
		cancel()
		return <-ended
	}
}

func isReady(status int, faults map[string]string) bool {
	return status == http.StatusOK && len(faults) == 0
}

// TestTheDatabaseIsAway: commands and queries are refused and not done, the service says why and goes on by itself when
// the database is back.
func TestTheDatabaseIsAway(t *testing.T) {
	for name, away := range map[string]proxyState{"connections break": cut, "nothing is answered": hanging} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t)
			direct := sqltest.PostgresURL(t)
			var between *proxy
			p.cfg.DatabaseURL, between = through(t, direct)
			heard := make(chan event.Event, 10)
			stop := p.runs(t, counted(heard))
			p.awaitReadiness(t, isReady)
			if answer := p.sell(t, "a", "", ""); answer.StatusCode != http.StatusAccepted {
				t.Fatalf("before: %d", answer.StatusCode)
			}
			if e := <-heard; e.Key != "a" {
				t.Errorf("heard of %q", e.Key)
			}

			between.turn(away)
			p.awaitReadiness(t, func(status int, faults map[string]string) bool {
				return status == http.StatusServiceUnavailable && faults["database"] != ""
			})
			var asking sync.WaitGroup
			began := time.Now()
			for _, ask := range []func() *http.Response{
				func() *http.Response { return p.sell(t, "refused", "key-1", "") },
				func() *http.Response { return p.sell(t, "refused for good", "key-2", "") },
				func() *http.Response {
					answer, err := http.Get("http://" + p.cfg.HTTPAddr + "/v1/sales")
					if err != nil {
						t.Error(err)
						return &http.Response{}
					}
					answer.Body.Close()
					return answer
				},
			} {
				asking.Go(func() {
					answer := ask()
					if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" ||
						answer.Header.Get("Content-Type") != "application/problem+json" {
						t.Errorf("while it is away: %d, %v", answer.StatusCode, answer.Header)
					}
				})
			}
			asking.Wait()
			t.Logf("refused within %s", time.Since(began))

			between.turn(passing)
			p.awaitReadiness(t, isReady)
			if answer := p.sell(t, "refused", "key-1", ""); answer.StatusCode != http.StatusAccepted {
				t.Errorf("after: %d", answer.StatusCode)
			}
			e := <-heard
			for e.Key == "a" { // what was not marked as done before the outage comes again
				e = <-heard
			}
			if e.Key != "refused" {
				t.Errorf("heard of %q", e.Key)
			}
			if err := stop(); err != nil {
				t.Errorf("a clean stop = %v", err)
			}
			if n, err := sales(t.Context(), sqltest.Open(t, direct)); n != 2 || err != nil {
				t.Errorf("%d sales, %v; want those that were accepted, 2", n, err)
			}
		})
	}
}

// scrapeTimeout is Prometheus's own.
const scrapeTimeout = 10 * time.Second

// TestAScrapeIsAnsweredWhileAllIsSilent: Prometheus sees that a service is not ready while nothing answers it.
func TestAScrapeIsAnsweredWhileAllIsSilent(t *testing.T) {
	p := newPlatform(t)
	var database, broker *proxy
	var brokerURL string
	p.cfg.DatabaseURL, database = through(t, sqltest.PostgresURL(t))
	brokerURL, broker = through(t, "kafka://"+p.cfg.Brokers[0])
	p.cfg.KafkaOptions = []kgo.Opt{kgo.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(brokerURL, "kafka://"))
	})}
	_, stop := p.run(t)
	p.awaitReadiness(t, isReady)
	scrape := func(ready string) time.Duration {
		t.Helper()
		began := time.Now()
		answer, err := http.Get("http://" + p.cfg.AdminAddr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d, %v", answer.StatusCode, err)
		}
		if !regexp.MustCompile(`(?m)^quadrille_ready\{[^}]*\} ` + ready + `$`).Match(text) {
			t.Errorf("quadrille_ready is not %s in\n%s", ready, text)
		}
		return time.Since(began)
	}
	t.Logf("scraped within %s while all is well", scrape("1"))

	database.turn(hanging)
	broker.turn(hanging)
	took := scrape("0")
	t.Logf("scraped within %s while nothing answers", took)
	if took > scrapeTimeout {
		t.Errorf("it took %s", took)
	}
	database.turn(passing)
	broker.turn(passing)
	if err := stop(); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}

// TestTheBrokerIsAway: the service stays in service, degraded. What is accepted meanwhile is published in its order when
// the broker is back, and consumption goes on.
func TestTheBrokerIsAway(t *testing.T) {
	p := newPlatform(t)
	_, text, err := net.SplitHostPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	start := func(more ...kfake.Opt) *kfake.Cluster {
		broker, err := kfake.NewCluster(append(more, kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(data))...)
		if err != nil {
			t.Fatal(err)
		}
		return broker
	}
	broker := start(kfake.SeedTopics(2, soldType.Topic, "till.deadletter"))
	p.cfg.Brokers = broker.ListenAddrs()
	heard, stop := p.run(t)
	p.awaitReadiness(t, isReady)
	p.sell(t, "before", "", "")
	if e := <-heard; e.Key != "before" {
		t.Errorf("heard of %q", e.Key)
	}

	broker.Close()
	p.awaitReadiness(t, func(status int, faults map[string]string) bool {
		return status == http.StatusOK && faults["status"] == "degraded" && faults["consumer"] != ""
	})
	const meanwhile = 20
	for range meanwhile {
		if status := p.sell(t, "meanwhile", "", "").StatusCode; status != http.StatusAccepted {
			t.Fatalf("status %d without a broker", status)
		}
	}
	p.awaitReadiness(t, func(_ int, faults map[string]string) bool {
		const cure = "cannot be reached; start them"
		return strings.Contains(faults["consumer"], cure) && strings.Contains(faults["relay"], cure)
	})
	broker = start()
	defer broker.Close()
	var last time.Time
	for i := range meanwhile {
		e := <-heard
		if e.Key != "meanwhile" || !e.Time.After(last) {
			t.Fatalf("event %d is of %q at %s, after one at %s", i, e.Key, e.Time, last)
		}
		last = e.Time
	}
	p.awaitReadiness(t, isReady)
	if err := stop(); err != nil {
		t.Errorf("a clean stop = %v", err)
	}
}

// TestAFloodIsShed: of far too many commands some are refused. Each that was accepted is done, no other is, and probes
// are answered all the while.
func TestAFloodIsShed(t *testing.T) {
	sqltest.EachURL(t, func(t *testing.T, url string) {
		p := newPlatform(t)
		p.cfg.DatabaseURL, p.cfg.HTTPLimit, p.cfg.HTTPWait = url, 4, 10*time.Millisecond
		const sellers, each = 64, 10
		heard := make(chan event.Event, sellers*each)
		stop := p.runs(t, counted(heard))
		p.awaitReadiness(t, isReady)
		accepted := make(map[string]bool)
		refused := 0
		var slowest time.Duration
		var mu sync.Mutex
		var selling sync.WaitGroup
		for seller := range sellers {
			selling.Go(func() {
				for i := range each {
					id, began := fmt.Sprintf("%d-%d", seller, i), time.Now()
					answer := p.sell(t, id, "", "")
					mu.Lock()
					switch answer.StatusCode {
					case http.StatusAccepted:
						accepted[id] = true
						slowest = max(slowest, time.Since(began))
					case http.StatusServiceUnavailable:
						refused++
						if answer.Header.Get("Retry-After") == "" {
							t.Errorf("refused with %v", answer.Header)
						}
					default:
						t.Errorf("status %d", answer.StatusCode)
					}
					mu.Unlock()
				}
			})
		}
		p.awaitReadiness(t, isReady)
		selling.Wait()
		t.Logf("%d accepted, the slowest within %s; %d refused", len(accepted), slowest, refused)
		if len(accepted) == 0 || refused == 0 {
			t.Errorf("%d accepted, %d refused", len(accepted), refused)
		}
		told := make(map[string]bool)
		for range accepted {
			e := <-heard
			if !accepted[e.Key] || told[e.Key] {
				t.Errorf("heard of %q: accepted %t, heard before %t", e.Key, accepted[e.Key], told[e.Key])
			}
			told[e.Key] = true
		}
		if err := stop(); err != nil {
			t.Errorf("a clean stop = %v", err)
		}
		if n, err := sales(t.Context(), sqltest.Open(t, url)); n != int64(len(accepted)) || err != nil {
			t.Errorf("%d sales, %v; want those that were accepted, %d", n, err, len(accepted))
		}
	})
}
