package start

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/client"
)

// world is what the services need, in the order in which they need it.
var world = []string{"database", "registry", "schemas", "broker", "topics", "gateway", "mailbox"}

// TestServicesStartInAnyOrder starts a platform's parts in many orders. Whatever is missing, a service lives on and says
// so, with the cure; once all is there, an order is placed, paid for and told of.
func TestServicesStartInAnyOrder(t *testing.T) {
	orders := map[string][]string{
		"the services first": slices.Concat(serviceNames, world),
		"the services last":  slices.Concat(world, serviceNames),
		"backwards":          slices.Concat(serviceNames, causal(backwards(world))),
	}
	for seed := range uint64(2) {
		all := slices.Concat(serviceNames, world)
		random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // it must be the same again
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		orders[fmt.Sprintf("shuffle %d", seed)] = causal(all)
	}
	for name, parts := range orders {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && strings.HasPrefix(name, "shuffle") {
				t.Skip("SKIPPED, NOT SHUFFLED: -short")
			}
			t.Log(strings.Join(parts, ", "))
			p := newPlatform(t)
			for _, part := range parts {
				p.start(t, part)
				for _, service := range serviceNames {
					if p.running[service] {
						p.says(t, service)
					}
				}
			}
			p.buy(t)
			for _, service := range serviceNames {
				// Each failure is said at once, and then ever more rarely.
				if n := p.logs[service].count("waiting for"); n > 30 {
					t.Errorf("%s said %d times that it waits:\n%s", service, n, p.logs[service].text.String())
				}
			}
		})
	}
}

func backwards(parts []string) []string {
	parts = slices.Clone(parts)
	slices.Reverse(parts)
	return parts
}

// causal is the same order but for what cannot be: topics before their broker, schemas before their registry.
func causal(parts []string) []string {
	parts = slices.Clone(parts)
	for _, pair := range [][2]string{{"broker", "topics"}, {"registry", "schemas"}} {
		cause, effect := slices.Index(parts, pair[0]), slices.Index(parts, pair[1])
		if cause > effect {
			parts[cause], parts[effect] = parts[effect], parts[cause]
		}
	}
	return parts
}

// says waits until a service's probe names the first part that it misses and the cure, or that it misses none.
func (p *platform) says(t *testing.T, service string) {
	t.Helper()
	want := map[string]string{
		"database": "QUADRILLE_DATABASE_URL: open the database: PostgreSQL at " + p.database + " cannot be reached; start it",
		"registry": "QUADRILLE_REGISTRY_URL: the schema registry at " + p.Registry + " cannot be reached; start it",
		"schemas":  "lacks this version; run `quadrille apply`",
		"broker":   "QUADRILLE_KAFKA_BROKERS: the brokers at [" + p.Kafka + "] cannot be reached; start them",
		"topics":   "; run `quadrille apply`",
	}[p.missing()]
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := client.Until(ctx, fmt.Sprintf("%s to say %q", service, want), func() error {
		_, err := p.Call(ctx, http.MethodGet, "http://"+p.Admin[service]+"/readyz", nil, nil)
		if want == "" {
			return err
		}
		said, refused := errors.AsType[*client.Refusal](err)
		if !refused || said.Status != http.StatusServiceUnavailable || !bytes.Contains(said.Body, []byte(want)) {
			return errors.Join(errors.New("it says something else"), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.missing() != "" && p.logs[service].count("level=WARN") == 0 {
		t.Errorf("%s misses %s and its log has no warning", service, p.missing())
	}
	select {
	case name := <-p.ended:
		t.Fatalf("%s has ended without %s", name, p.missing())
	default:
	}
}

// missing is the first part that keeps services from being ready; gateway and mailbox do not.
func (p *platform) missing() string {
	for _, part := range world[:5] {
		if !p.running[part] {
			return part
		}
	}
	return ""
}

// buy places an order and waits until its customer was told.
func (p *platform) buy(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Stock(ctx, "tea", client.Money{Amount: 300, Currency: "EUR"}, 10); err != nil {
		t.Fatal(err)
	}
	placed, err := p.Place(ctx, client.Buy("tok_visa", client.Line{SKU: "tea", Quantity: 2}))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := p.Completed(ctx, placed.ID); err != nil || o.Status != "confirmed" {
		t.Fatalf("%+v, %v", o, err)
	}
	err = client.Until(ctx, "the mail", func() error {
		mails, err := p.Mails(ctx, placed.ID)
		if err == nil && len(mails) == 0 {
			err = errors.New("none has come")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
