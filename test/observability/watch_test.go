//go:build observability

package observability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/load"
)

// TestThePlatformIsWatched breaks a platform under load, one thing after another, and waits for the mails that tell of
// it. With what Prometheus saw meanwhile, boards and page are compared.
func TestThePlatformIsWatched(t *testing.T) {
	p := start(t)
	began := time.Now()
	targets := make(map[string][]string)
	for service, addr := range p.Admin {
		targets[service] = []string{addr}
	}
	if p.collector != nil {
		targets["collector"] = p.collector.metrics
	}
	w := &watched{platform: p, prometheus: watch(t, targets, p.SMTP)}
	if err := p.Stock(t.Context(), product, price, 1_000_000); err != nil {
		t.Fatal(err)
	}
	defer w.load(t)()
	for _, fault := range w.faults() {
		if !t.Run(fault.name, func(t *testing.T) {
			before := w.quiet(t)
			end := fault.begin(t)
			for _, alert := range fault.told {
				w.mailed(t, "[firing] "+alert, before)
			}
			for _, alert := range fault.fires {
				w.fires(t, alert)
			}
			end(t)
			for _, after := range fault.after {
				w.mailed(t, after, before)
			}
		}) {
			return // the next fault would only meet what this one has left
		}
	}
	t.Run("every panel has data", func(t *testing.T) { w.panels(t, began) })
	t.Run("the collector hands on and measures", func(t *testing.T) { w.collected(t, began) })
	t.Run("the page names what is served", w.served)
}

// fault is something that goes wrong, and what operators hear of it.
type fault struct {
	name  string
	begin func(*testing.T) (end func(*testing.T))
	// told are the alerts, with their jobs, that are mailed meanwhile; after are subjects of mails once it has ended.
	told, after []string
	// fires are the alerts that are not mailed, for they follow from another.
	fires []string
}

func (w *watched) faults() []fault {
	return []fault{
		{
			name: "a record that nobody can read",
			begin: func(t *testing.T) func(*testing.T) {
				w.poison(t, "order.events")
				return w.discard
			},
			told:  []string{"DeadLetters inventory", "DeadLetters payment", "DeadLetters notification"},
			after: []string{"[resolved] DeadLetters payment"},
		},
		{
			name: "a database that takes nothing",
			begin: func(t *testing.T) func(*testing.T) {
				release := w.lock(t, "inventory")
				t.Cleanup(release)
				return func(*testing.T) { release() }
			},
			told:  []string{"DatabaseAway inventory", "SagasStuck order", "ConsumerLagGrowing inventory"},
			after: []string{"[resolved] ConsumerLagGrowing inventory"},
		},
		{
			name: "a gateway that fails",
			begin: func(*testing.T) func(*testing.T) {
				w.gatewayFails.Store(true)
				return func(*testing.T) { w.gatewayFails.Store(false) }
			},
			told: []string{"GatewayErrors", "OutsideAway payment", "SagaFailures"},
		},
		{
			name: "a service that is killed",
			begin: func(t *testing.T) func(*testing.T) {
				_ = w.notification.Stop(syscall.SIGKILL)
				return w.startNotification
			},
			told:  []string{"ServiceDown notification"},
			after: []string{"[resolved] ServiceDown notification"},
		},
		{
			name:  "a broker that is away",
			begin: func(t *testing.T) func(*testing.T) { w.brokerAway(t); return w.brokerBack },
			told:  []string{"RelayStopped order"}, fires: []string{"OutboxTooOld order"},
			after: []string{"[resolved] RelayStopped order"},
		},
	}
}

// watched is a platform with those who watch it.
type watched struct {
	*platform
	prometheus *prometheus
}

// load keeps the platform busy until it is told to stop.
func (w *watched) load(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	l := load.New(load.Config{Order: w.Services["order"], Purchase: func(n int) client.Purchase {
		token := "tok_visa"
		if n%10 == 0 {
			token = "tok_declined"
		}
		return client.Buy(token, client.Line{SKU: product, Quantity: 1})
	}})
	running.Go(func() { l.Run(ctx, 20, time.Hour) })
	running.Go(func() {
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if orders := l.Drain(); len(orders) > 0 {
				w.look(ctx, orders[0].ID)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
		counts := l.Counts()
		t.Logf("%d orders accepted, %d refused: %v", counts.Accepted, counts.Refused, counts.Refusals)
	}
}

// toOperators are the mails from Alertmanager, of which the load's are many times as many.
func (w *watched) toOperators(t *testing.T) ([]client.Mail, error) {
	mails, err := w.AllMails(t.Context())
	return slices.DeleteFunc(mails, func(m client.Mail) bool { return m.To[0] != "operators@quadrille.example" }), err
}

// quiet waits until nothing fires and operators were told so, and returns the last mail's id.
func (w *watched) quiet(t *testing.T) (last int64) {
	t.Helper()
	eventually(t, "quiet", func() error {
		mails, err := w.toOperators(t)
		firing := make(map[string]bool)
		for _, m := range mails {
			status, alert, _ := strings.Cut(strings.TrimSpace(m.Subject), " ")
			firing[alert] = status == "[firing]"
			last = max(last, m.ID)
		}
		maps.DeleteFunc(firing, func(_ string, still bool) bool { return !still })
		active, failed := w.prometheus.active(t.Context())
		if err == nil && failed == nil && len(firing)+len(active) > 0 {
			err = fmt.Errorf("there are %v and %v", slices.Collect(maps.Keys(firing)), active)
		}
		return errors.Join(err, failed)
	})
	return last
}

// mailed waits for a mail to the operators, after that with an id, that says what to do.
func (w *watched) mailed(t *testing.T, subject string, after int64) {
	t.Helper()
	began := time.Now()
	eventually(t, "the mail "+subject, func() error {
		mails, err := w.toOperators(t)
		var told []string
		for _, m := range mails {
			if m.ID <= after {
				continue
			}
			if strings.TrimSpace(m.Subject) == subject {
				text, err := w.ReadMail(t.Context(), m.ID)
				if err == nil && !strings.Contains(text.Text, "docs/operations.md#") {
					err = fmt.Errorf("it does not say what to do: %q", text.Text)
				}
				return err
			}
			told = append(told, m.Subject)
		}
		if err == nil {
			err = fmt.Errorf("there are %q", told)
		}
		return err
	})
	t.Logf("%s after %s", subject, time.Since(began).Round(100*time.Millisecond))
}

// fires waits until an alert of a job does.
func (w *watched) fires(t *testing.T, alert string) {
	t.Helper()
	began := time.Now()
	eventually(t, alert+" to fire", func() error {
		active, err := w.prometheus.active(t.Context())
		if err == nil && !slices.Contains(active, "firing "+alert) {
			err = fmt.Errorf("there are %q", active)
		}
		return err
	})
	t.Logf("%s fires after %s", alert, time.Since(began).Round(100*time.Millisecond))
}

// discard gives up what is dead.
func (w *watched) discard(t *testing.T) {
	t.Helper()
	for _, service := range []string{"inventory", "payment", "notification"} {
		letters, _, err := w.DeadLetters(t.Context(), service, client.DeadLetterFilter{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, letter := range letters {
			_, err := w.Rule(t.Context(), service, letter.ID, client.Discard, "ada", "It was put there by a test.")
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// panels demands data of every query of every board since an instant, and of a board of one service for each of them.
func (w *watched) panels(t *testing.T, since time.Time) {
	services := slices.Sorted(maps.Keys(w.Admin))
	for _, b := range boards(t) {
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				of := services
				if !strings.Contains(target.Expr, "$service") {
					of = []string{""}
				}
				for _, service := range of {
					query := strings.NewReplacer("$service", service, "$__rate_interval", "5s").Replace(target.Expr)
					n, err := w.prometheus.samples(t.Context(), query, since, time.Now())
					if err != nil || n == 0 {
						t.Errorf("%s, %s, %s %s: %d samples, %v: %s", b.Title, p.Title, target.RefID, service, n, err, query)
					}
				}
			}
		}
	}
}

// rare is what this test cannot bring about: it takes an event of a newer release.
var rare = []string{"quadrille_consumer_unknown_fields_total"}

// served compares what the services serve with the page, both ways.
func (w *watched) served(t *testing.T) {
	w.poison(t, "order.events") // that letters are open is measured while one is
	w.fires(t, "DeadLetters payment")
	var families []string
	for service, addr := range w.Admin {
		res, err := http.Get("http://" + addr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", service, res.Status, err)
		}
		for _, family := range regexp.MustCompile(`(?m)^# TYPE (quadrille_\w+) `).FindAllSubmatch(text, -1) {
			families = append(families, string(family[1]))
		}
	}
	explained := regexp.MustCompile("(?m)^\\| `(quadrille_[a-z_]+)` \\|")
	var page []string
	for _, row := range explained.FindAllStringSubmatch(section(t, readPage(t), "Metrics"), -1) {
		page = append(page, row[1])
		if !slices.Contains(families, row[1]) && !slices.Contains(rare, row[1]) {
			t.Errorf("the page explains %s, which nobody serves", row[1])
		}
	}
	slices.Sort(families)
	for _, family := range slices.Compact(families) {
		if !slices.Contains(page, family) {
			t.Errorf("%s is served, and the page does not explain it", family)
		}
	}
}

// section is what stands under a heading of a page.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("no section %q", heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}
