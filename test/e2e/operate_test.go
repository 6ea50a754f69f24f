package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/platform/client"
)

// against are the flags that name this platform to an operator's command.
func (p *platform) against(t *testing.T, args ...string) []string {
	t.Helper()
	text, err := json.Marshal(p.Addresses)
	if err != nil {
		t.Fatal(err)
	}
	return append(args, "--against", string(text))
}

// stuck places an order whose payment the gateway refuses for good to undo.
func (p *platform) stuck(t *testing.T, token string) string {
	t.Helper()
	id := p.place(t, token, line{"tea-001", 1}).ID
	if token == "tok_refund_declined" {
		p.completed(t, id)
		p.cancel(t, id)
	}
	eventually(t, "a stuck payment", func() error {
		payment, err := p.Payment(t.Context(), id)
		if err == nil && !payment.Stuck {
			err = fmt.Errorf("it is %+v", payment)
		}
		return err
	})
	return id
}

func TestAStuckSagaIsSettledByHand(t *testing.T) {
	p := up(t, "--ephemeral", "--set", "QUADRILLE_ORDER_STUCK_AFTER=1ms")
	sound := p.place(t, "tok_visa", line{"tea-001", 1}).ID
	p.completed(t, sound)
	tests := map[string]struct{ missing, account, event, step string }{
		"tok_refund_declined": {"PaymentRefunded", "sales", "PaymentRefunded", "refunded"},
		"tok_cancel_declined": {"PaymentVoided", "settled_by_hand", "PaymentVoided", "voided"},
	}
	ids := make(map[string]string)
	for token, want := range tests {
		ids[token] = p.stuck(t, token)
		eventually(t, "a saga that waits for the payment alone", func() error {
			for _, s := range objects[client.Saga](t, must(t, p.against(t, "sagas", "--older-than", "0s", "--json")...)) {
				if s.OrderID == ids[token] && slices.Equal(s.WaitingFor, []string{want.missing}) && s.Stuck {
					return nil
				}
			}
			return errors.New("not listed")
		})
	}
	if n, err := p.Metric(t.Context(), "order", "quadrille_sagas_stuck", `status="cancelled"`); err != nil || n != 2 {
		t.Errorf("%v are counted as stuck, %v", n, err)
	}
	if said := must(t, p.against(t, "sagas", "--older-than", "0s")...); strings.Count(said, "\n") != 3 ||
		!strings.Contains(said, "PaymentRefunded") {
		t.Errorf("sagas prints\n%s", said)
	}

	for name, refused := range map[string]struct {
		id   string
		code int
		says string
	}{
		"one that is not stuck": {sound, 1, "refused for good"},
		"an unknown one":        {"0199b1a4-0000-7000-8000-00000000000a", 1, "Nothing is known"},
		"no order":              {"tea", 1, "must be a UUID"},
	} {
		got := run(t, p.against(t, "settle", refused.id, "--reason", "why", "--operator", "ada")...)
		if got.code != refused.code || !strings.Contains(got.stderr, refused.says) {
			t.Errorf("%s: exit code %d, said %q", name, got.code, got.stderr)
		}
	}
	nobody := command(t, p.against(t, "settle", sound, "--reason", "why")...)
	nobody.Env = []string{"USER="}
	if out, _ := nobody.CombinedOutput(); nobody.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "--operator") {
		t.Errorf("by nobody: exit code %d, said %q", nobody.ProcessState.ExitCode(), out)
	}

	for token, want := range tests {
		id := ids[token]
		said := must(t, p.against(t, "settle", id, "--reason", "Bank transfer 4711", "--operator", "Ada", "--key", token)...)
		if !strings.Contains(said, want.step+" by hand") {
			t.Errorf("settle says %q", said)
		}
		o := p.completed(t, id)
		if o.Status != "cancelled" || !o.ByHand || o.Steps[1].Status != want.step {
			t.Errorf("G6: settled, the order is %+v", o)
		}
		ledger, err := p.Ledger(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		last := ledger[len(ledger)-2:]
		if last[0].Account != want.account || last[1].Account != "settled_by_hand" || last[0].Debit != last[1].Credit ||
			last[1].Operator != "Ada" || last[1].Reason != "Bank transfer 4711" {
			t.Errorf("G5: the books say %+v", last)
		}
		found := objects[shownEvent](t, must(t, p.events("--order", id, "--type", want.event, "--json")...))
		if len(found) != 1 || found[0].Data["settled_by_hand"] != true {
			t.Errorf("on Kafka there is %+v", found)
		}
	}
	if said := must(t, p.against(t, "sagas", "--older-than", "0s", "--json")...); said != "" {
		t.Errorf("G6: sagas still lists\n%s", said)
	}
}

// stock and orders go on while both read models are made anew, and a process of order is killed.
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
	p.stock(t, "held", 100_000)
	var mu sync.Mutex
	var ids []string
	done := make(chan struct{})
	var load sync.WaitGroup
	for n := range 4 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				// A process that was killed refuses for a while.
				o, err := placeAt(orders[(n+i)%len(orders)], "tok_visa", line{"held", 1})
				if err != nil {
					continue
				}
				mu.Lock()
				ids = append(ids, o.ID)
				mu.Unlock()
				price := map[string]any{"name": "Held", "price": map[string]any{"amount": 100 + i, "currency": "EUR"}}
				url := fmt.Sprintf("http://%s/v1/products/changed-%d-%d", p.Services["inventory"], n, i%5)
				if _, err := call(http.MethodPut, url, nil, price, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	placed := func(n int) {
		t.Helper()
		eventually(t, "orders", func() error {
			mu.Lock()
			defer mu.Unlock()
			if len(ids) < n {
				return fmt.Errorf("%d are placed", len(ids))
			}
			return nil
		})
	}
	placed(100)
	for _, model := range []string{"orders", "catalogue"} {
		cmd := command(t, p.against(t, "rebuild", model, "--operator", "ada", "--json")...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the begin of a rebuild", func() error {
			_, err := p.Rebuild(t.Context(), model)
			return err
		})
		killed := p.children(t)["order"]
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("G10: rebuild %s: %v\n%s", model, err, stderr.String())
		}
		var ended client.Rebuild
		if err := json.Unmarshal([]byte(stdout.String()), &ended); err != nil || ended.State != "done" || ended.Done == 0 {
			t.Errorf("G10: rebuild %s printed %s, %v", model, stdout.String(), err)
		}
		mu.Lock()
		so := len(ids)
		mu.Unlock()
		placed(so + 50)
	}
	close(done)
	load.Wait()
	for _, id := range ids {
		if o := p.completed(t, id); o.Status != "confirmed" {
			t.Errorf("ended as %+v", o)
		}
	}
	p.readModelsAreRight(t, len(ids))

	// At rest a rebuild leaves no trace but rows.
	told := len(arrived(t, p.Mail, "", len(ids)))
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
	if now := len(mails(t, p.Mail, "")); now != told {
		t.Errorf("G10: a rebuild has sent mails: %d, were %d", now, told)
	}
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
	var ledger struct{ Operations []struct{} }
	if _, err := call(http.MethodGet, "http://"+p.Gateway+"/v1/ledger?limit=10000", nil, nil, &ledger); err != nil {
		t.Fatal(err)
	}
	return len(ledger.Operations)
}
