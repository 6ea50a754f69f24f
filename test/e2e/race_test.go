package e2e

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
)

// runs of the race; with -short, fewer.
func runs() int {
	if testing.Short() {
		return 2
	}
	return 20
}

// 200 buyers want one each of two skus of which there are 50, half naming them in reverse: 50 are confirmed, 150
// cancelled, nothing stays reserved.
func TestTheLastUnitsAreSoldOnce(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		p := up(t, "--ephemeral")
		for run := range runs() {
			p.race(t, run, []string{p.Services["order"]})
		}
	})
	t.Run("PostgreSQL, two replicas of each service", func(t *testing.T) {
		args := []string{"--ephemeral"}
		databases := make(map[string]string)
		for _, name := range []string{"order", "inventory", "payment"} {
			databases[name] = sqltest.PostgresURL(t)
			args = append(args, "--database", name+"="+databases[name])
		}
		p := up(t, args...)
		orders := []string{p.Services["order"]}
		for name, database := range databases {
			if addr := p.replica(t, name, database); name == "order" {
				orders = append(orders, addr)
			}
		}
		for run := range runs() {
			p.race(t, run, orders)
		}
	})
}

func (p *platform) race(t *testing.T, run int, orders []string) {
	t.Helper()
	left, right := fmt.Sprintf("left-%d", run), fmt.Sprintf("right-%d", run)
	p.stock(t, left, 50)
	p.stock(t, right, 50)
	ids := make([]string, 200)
	var buyers sync.WaitGroup
	for i := range ids {
		buyers.Go(func() {
			lines := []line{{left, 1}, {right, 1}}
			if i%2 == 1 {
				lines[0], lines[1] = lines[1], lines[0]
			}
			o, err := placeAt(orders[i%len(orders)], "tok_visa", lines...)
			if err != nil {
				t.Error(err)
			}
			ids[i] = o.ID
		})
	}
	buyers.Wait()
	if t.Failed() {
		t.FailNow()
	}
	ends := make(map[string]int)
	for _, id := range ids {
		o := p.completed(t, id)
		ends[o.Status+" "+o.Reason]++
	}
	if ends["confirmed "] != 50 || ends["cancelled out_of_stock"] != 150 {
		t.Errorf("G4: run %d ended with %v", run, ends)
	}
	for _, sku := range []string{left, right} {
		if l := p.levels(t, sku); l.Available != 0 || l.Reserved != 0 || l.Sold != 50 {
			t.Errorf("G4: run %d: %s has %+v", run, sku, l)
		}
	}
}

// replica starts one more process of a service on the same database, and returns its address.
func (p *platform) replica(t *testing.T, name, database string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := p.Replica(ctx, name, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	})
	return r.Addr
}
