package sim

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

const (
	// few seeds in which each broken service must be found out.
	few = 10
	// fewer seeds in which nothing must be found: other tests play many.
	fewer = 3
)

// TestABrokenServiceIsFoundOut runs seeds with an inventory that breaks a guarantee, as a mistake in its code would,
// and with one that is as broken as nothing at all.
func TestABrokenServiceIsFoundOut(t *testing.T) {
	tests := []struct {
		name   string
		found  []string // all that a violation says; none: there must be no violation
		save   string   // a statement that each save runs as well
		silent string   // an event that is not published
	}{
		{name: "it is sound"},
		{name: "it forgets what it has handled", found: []string{"G7:"},
			save: `DELETE FROM inbox WHERE scope = 'order.events'`},
		{name: "it finds stock that is not there", found: []string{"G4:"},
			save: `UPDATE products SET available = available + 1 WHERE sold > 0`},
		{name: "it tells nobody that stock is released", found: []string{"G6:", "has not ended"},
			silent: "quadrille.inventory.StockReleased"},
		{name: "it loses what it was to publish", found: []string{"G2:", "is not on Kafka"},
			save: `CREATE TRIGGER IF NOT EXISTS lose AFTER INSERT ON outbox WHEN NEW.seq % 5 = 0
				BEGIN DELETE FROM outbox WHERE seq = NEW.seq; END`},
	}
	templates := t.TempDir()
	if err := Templates(t.Context(), templates); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := func(ctx context.Context, cfg service.Config) error {
				own := inventory.Config{Config: cfg, RepublishAfter: republishAfter}.WithDefaults()
				return service.Run(ctx, own.Config, breaking(inventory.Definition(own), tt.save, tt.silent))
			}
			seeds := uint64(few)
			if tt.found == nil {
				seeds = fewer
			}
			for seed := range seeds {
				var r Result
				synctest.Test(t, func(t *testing.T) {
					var err error
					r, err = run(t.Context(), t.TempDir(), templates, NewPlan(seed+1), nil,
						map[string]func(context.Context, service.Config) error{inventory.Name: broken})
					if err != nil {
						t.Fatal(err)
					}
				})
				for _, v := range r.Violations {
					switch {
					case tt.found == nil:
						t.Errorf("seed %d: %s", seed+1, v)
					case saysAll(v, tt.found):
						t.Logf("seed %d: %s", seed+1, v)
						return
					}
				}
			}
			if tt.found != nil {
				t.Errorf("%d seeds found nothing that says %q", few, tt.found)
			}
		})
	}
}

func saysAll(violation string, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(violation, word) })
}

// breaking returns a service that runs a statement with each save, and keeps an event to itself.
func breaking[I work.Input[S, E], S, E any](def service.Definition[I, S, E],
	statement, silent string) service.Definition[I, S, E] {
	save, publish := def.Save, def.Publish
	def.Save = func(ctx context.Context, tx *sqldb.Tx, state S, facts []work.Fact[E]) error {
		if err := save(ctx, tx, state, facts); err != nil || statement == "" {
			return err
		}
		_, err := tx.Exec(ctx, statement)
		return err
	}
	def.Publish = func(fact E) (event.Event, bool) {
		e, public := publish(fact)
		return e, public && (silent == "" || e.Data.EventType() != silent)
	}
	return def
}
