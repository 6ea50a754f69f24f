package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// TestReadModelsAreRebuiltUnderLoad: orders and changes of products go on while each read model is made anew, and a
// process of order is killed in the middle of it.
func TestReadModelsAreRebuiltUnderLoad(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		p := up(t, "--ephemeral")
		p.rebuiltUnderLoad(t, p.Services["order"])
	})
	t.Run("PostgreSQL, two replicas of order", func(t *testing.T) {
		database := sqltest.PostgresURL(t)
		p := up(t, "--ephemeral", "--database", "order="+database)
		p.rebuiltUnderLoad(t, p.Services["order"], p.replica(t, "order", database))
	})
}

func (p *platform) rebuiltUnderLoad(t *testing.T, orders ...string) {
	t.Helper()
	// As many as a rebuild takes more than a moment for, and as can be looked at in the end.
	const first, most = 500, 20_000
	p.stock(t, "held", most)
	b := &buying{platform: p, orders: orders, most: most, done: make(chan struct{})}
	b.begin(t)
	defer b.end()
	b.placed(t, first)
	for _, model := range []string{"orders", "catalogue"} {
		// A rebuild may end before the process dies.
		for try, hit := 1, false; !hit; try++ {
			if try > 10 {
				t.Fatalf("no rebuild of %s was under way when order was killed", model)
			}
			if hit = p.killedWhileRebuilding(t, model); hit {
				t.Logf("after %d orders the kill came in the middle of the rebuild %d of %s", b.count(), try, model)
			}
			b.placed(t, b.count()+50)
		}
	}
	ids := b.end()
	t.Logf("%d orders were placed", len(ids))
	for _, id := range ids {
		if o := p.completed(t, id); o.Status != "confirmed" {
			t.Errorf("ended as %+v", o)
		}
	}
	p.readModelsAreRight(t, len(ids))

	// At rest a rebuild leaves no trace but rows.
	told := 0
	eventually(t, "a mail about each order", func() error {
		if told = p.allMails(t); told < len(ids) {
			return fmt.Errorf("there are %d", told)
		}
		return nil
	})
	ends, operations := p.endOffsets(t), p.operations(t)
	for _, model := range []string{"orders", "catalogue"} {
		must(t, p.against(t, "rebuild", model, "--operator", "ada")...)
	}
	p.readModelsAreRight(t, len(ids))
	if diff := cmp.Diff(ends, p.endOffsets(t)); diff != "" {
		t.Errorf("G10: a rebuild has published (-before +after):\n%s", diff)
	}
	if now := p.operations(t); now != operations {
		t.Errorf("G10: a rebuild has called the gateway: %d operations, were %d", now, operations)
	}
	if now := p.allMails(t); now != told {
		t.Errorf("G10: a rebuild has sent mails: %d, were %d", now, told)
	}
}

// killedWhileRebuilding kills a process of order once a rebuild fills the new table, waits for the end of the rebuild,
// which must succeed, and reports whether that came after the kill.
func (p *platform) killedWhileRebuilding(t *testing.T, model string) bool {
	t.Helper()
	cmd := command(t, p.against(t, "rebuild", model, "--operator", "ada", "--json")...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	before, err := p.Rebuild(t.Context(), model)
	if err != nil && client.StatusOf(err) != http.StatusNotFound { // there may have been none yet
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process := p.children(t)["order"]
	eventually(t, "the filling of a table", func() error {
		r, err := p.Rebuild(t.Context(), model)
		if err == nil && (r.ID == before.ID || r.Phase == "clearing") {
			err = fmt.Errorf("it is %+v", r)
		}
		return err
	})
	killed := time.Now()
	if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("G10: rebuild %s: %v\n%s", model, err, stderr.String())
	}
	var ended client.Rebuild
	if err := json.Unmarshal([]byte(stdout.String()), &ended); err != nil || ended.State != "done" || ended.Done == 0 ||
		ended.EndedAt == nil {
		t.Fatalf("G10: rebuild %s printed %s, %v", model, stdout.String(), err)
	}
	eventually(t, "return of order", func() error {
		if pid := p.children(t)["order"]; pid == 0 || pid == process {
			return fmt.Errorf("pid is %d, was %d", pid, process)
		}
		return p.Ready(t.Context(), "order")
	})
	return ended.EndedAt.After(killed)
}

// buying is a load of orders and changes of products.
type buying struct {
	*platform
	orders []string // addresses of order's processes
	most   int
	done   chan struct{}
	once   sync.Once
	all    sync.WaitGroup

	mu  sync.Mutex
	ids []string
}

// begin has four customers place orders until end, each under a key of its own, sent again until it is answered: what a
// killed process has committed counts even if nobody was told.
func (b *buying) begin(t *testing.T) {
	const buyers = 4
	for n := range buyers {
		b.all.Go(func() {
			for i := range b.most / buyers {
				select {
				case <-b.done:
					return
				default:
				}
				if err := b.one(t.Context(), n, i); err != nil {
					t.Error(err)
					return
				}
			}
			t.Errorf("all of %d orders were placed before the rebuilds had ended", b.most)
		})
	}
}

func (b *buying) one(ctx context.Context, buyer, i int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var o order
	var refused error
	err := client.Until(ctx, "an answer", func() (err error) {
		at := anyone.At("order", b.orders[rand.IntN(len(b.orders))])
		at = at.With("Idempotency-Key", fmt.Sprintf("held-%d-%d", buyer, i))
		o, err = at.Place(ctx, client.Buy("tok_visa", client.Line{SKU: "held", Quantity: 1}))
		if client.StatusOf(err)/100 == 4 {
			refused, err = err, nil
		}
		return err
	})
	if err = errors.Join(err, refused); err != nil {
		return err
	}
	b.mu.Lock()
	b.ids = append(b.ids, o.ID)
	b.mu.Unlock()
	price := map[string]any{"name": "Held", "price": client.Money{Amount: 100 + int64(i), Currency: "EUR"}}
	url := fmt.Sprintf("http://%s/v1/products/changed-%d-%d", b.Services["inventory"], buyer, i%5)
	_, err = b.Call(ctx, http.MethodPut, url, price, nil)
	return err
}

func (b *buying) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ids)
}

// placed waits for as many orders.
func (b *buying) placed(t *testing.T, n int) {
	t.Helper()
	eventually(t, "orders", func() error {
		if placed := b.count(); placed < n {
			return fmt.Errorf("%d are placed", placed)
		}
		return nil
	})
}

// end returns the orders once everybody has left.
func (b *buying) end() []string {
	b.once.Do(func() { close(b.done) })
	b.all.Wait()
	return b.ids
}

// readModelsAreRight compares the list of orders, which reads the table, with each order, which folds its events, and
// order's catalogue with inventory's.
func (p *platform) readModelsAreRight(t *testing.T, n int) {
	t.Helper()
	listed, err := p.Orders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(listed) != n {
		t.Errorf("G10: %d orders are listed, %d were placed", len(listed), n)
	}
	for _, o := range listed {
		folded, err := p.Order(t.Context(), o.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(folded, o); diff != "" {
			t.Errorf("G10: order %s (-folded +listed):\n%s", o.ID, diff)
		}
	}
	eventually(t, "equal catalogues", func() error {
		theirs, ours := p.products(t, "inventory"), p.products(t, "order")
		if !maps.Equal(theirs, ours) {
			return fmt.Errorf("G10: (-inventory +order):\n%s", cmp.Diff(theirs, ours))
		}
		return nil
	})
}

// products are the prices of all products as a service shows them.
func (p *platform) products(t *testing.T, service string) map[string]client.Money {
	t.Helper()
	prices := make(map[string]client.Money)
	cursor := ""
	for {
		var page struct {
			Items []struct {
				SKU   string
				Price client.Money
			}
			NextCursor string `json:"next_cursor"`
		}
		url := "http://" + p.Services[service] + "/v1/products?limit=100" + cursor
		if _, err := call(http.MethodGet, url, nil, nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			prices[item.SKU] = item.Price
		}
		if page.NextCursor == "" {
			return prices
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// operations that the gateway has recorded.
func (p *platform) operations(t *testing.T) int {
	t.Helper()
	found, err := p.Operations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// allMails is how many have arrived.
func (p *platform) allMails(t *testing.T) int {
	t.Helper()
	found, err := p.AllMails(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}
