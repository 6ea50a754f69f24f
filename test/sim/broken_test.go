package sim

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
	"github.com/quadrille-platform/quadrille/services/inventory"
)

// few seeds in which each broken service must be found out.
const few = 10

// TestABrokenServiceIsFoundOut runs seeds with an inventory that breaks a guarantee, as a mistake in its code would.
func TestABrokenServiceIsFoundOut(t *testing.T) {
	tests := []struct {
		name, guarantee string
		save            string // a statement that each save runs as well
		silent          string // an event that is not published
	}{
		{name: "it forgets what it has handled", guarantee: "G7", save: `DELETE FROM inbox WHERE scope = 'order.events'`},
		{name: "it finds stock that is not there", guarantee: "G4",
			save: `UPDATE products SET available = available + 1 WHERE sold > 0`},
		{name: "it tells nobody that stock is released", guarantee: "G6", silent: "quadrille.inventory.StockReleased"},
		{name: "it loses what it was to publish", guarantee: "G6", save: `DELETE FROM outbox`},
	}
	templates := t.TempDir()
	if err := Templates(t.Context(), templates); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			broken := func(ctx context.Context, cfg service.Config) error {
				own := inventory.Config{Config: cfg}.WithDefaults()
				return service.Run(ctx, own.Config, breaking(inventory.Definition(own), tt.save, tt.silent))
			}
			for seed := range uint64(few) {
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
					if strings.HasPrefix(v, tt.guarantee+":") {
						t.Logf("seed %d: %s", seed+1, v)
						return
					}
				}
			}
			t.Errorf("%d seeds found nothing", few)
		})
	}
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
