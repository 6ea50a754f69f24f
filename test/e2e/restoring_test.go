package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/launch"
)

// restoring is a platform whose databases are copied while the topics, the gateway and the mailbox go on.
type restoring struct {
	*platform
	folder, copies string
	copied         time.Time
	processes      map[string]*launch.Process
	ids            map[string]string // of orders, by what becomes of them
}

func (r *restoring) enter(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		r.processes[service] = r.started(t, service)
	}
}

func (r *restoring) leave(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		sure(t, r.processes[service].Stop(syscall.SIGTERM))
	}
}

// lose puts the copy in the place of a service's database.
func (r *restoring) lose(t *testing.T, service string) {
	t.Helper()
	r.leave(t, service)
	for _, folder := range []string{r.folder, r.copies} {
		files, err := filepath.Glob(filepath.Join(folder, service+".db*"))
		sure(t, err)
		for _, file := range files {
			if folder == r.folder {
				sure(t, os.Remove(file))
				continue
			}
			data, err := os.ReadFile(file)
			sure(t, err)
			sure(t, os.WriteFile(filepath.Join(r.folder, filepath.Base(file)), data, 0o600))
		}
	}
}

// setBack sets the offsets of a group to when the copy was made.
func (r *restoring) setBack(t *testing.T, group string) {
	t.Helper()
	kafka, err := kgo.NewClient(kgo.SeedBrokers(given().brokers(r.platform)...))
	sure(t, err)
	defer kafka.Close()
	admin := kadm.NewClient(kafka)
	committed, err := admin.FetchOffsets(t.Context(), group)
	sure(t, err)
	then, err := admin.ListOffsetsAfterMilli(t.Context(), r.copied.UnixMilli(), committed.Offsets().TopicsSet().Topics()...)
	sure(t, err)
	sure(t, admin.CommitAllOffsets(t.Context(), group, then.Offsets()))
}

func (r *restoring) buy(t *testing.T, name, sku string) {
	t.Helper()
	r.ids[name] = r.completed(t, r.place(t, "tok_visa", line{sku, 1}).ID).ID
	r.told(t, r.ids[name], "confirmation sent")
}

func (r *restoring) undo(t *testing.T, name string) {
	t.Helper()
	r.cancel(t, r.ids[name])
	r.completed(t, r.ids[name])
	r.told(t, r.ids[name], "confirmation sent", "cancellation sent", "refund sent")
}

// price changes what a product costs, and waits until order has heard of it.
func (r *restoring) price(t *testing.T, sku string, amount int64) {
	t.Helper()
	put := map[string]any{"name": sku, "price": client.Money{Amount: amount, Currency: "EUR"}}
	_, err := call(http.MethodPut, "http://"+r.Services["inventory"]+"/v1/products/"+sku, nil, put, nil)
	sure(t, err)
	eventually(t, "equal catalogues", func() error {
		theirs, ours := r.listed(t, "inventory", sku), r.listed(t, "order", sku)
		if theirs != ours || ours.Price.Amount != amount {
			return fmt.Errorf("inventory has %+v, order %+v", theirs, ours)
		}
		return nil
	})
}

// listed is a product as a service lists it, without its levels.
func (r *restoring) listed(t *testing.T, service, sku string) client.Product {
	t.Helper()
	products, err := r.Products(t.Context(), service)
	sure(t, err)
	i := slices.IndexFunc(products, func(p client.Product) bool { return p.SKU == sku })
	if i < 0 {
		t.Fatalf("%s does not list %s", service, sku)
	}
	products[i].Version, products[i].Levels = 0, client.Levels{}
	return products[i]
}

// await waits until all is as it should be, and no letter is open. It discards those that are foretold, by the flags
// that choose them; any other stays in the way.
func (r *restoring) await(t *testing.T, want map[string]string, foretold ...string) {
	t.Helper()
	eventually(t, "rest", func() error {
		var open []client.DeadLetter
		for _, service := range serviceNames {
			letters, _, err := r.DeadLetters(t.Context(), service, client.DeadLetterFilter{}, 1000)
			sure(t, err)
			open = append(open, letters...)
		}
		for _, which := range foretold {
			if len(open) > 0 {
				must(t, r.against(t, append([]string{"deadletter", "discard", "--reason", "restored", "--operator", "ada",
					"--yes", "--rate", "1000"}, strings.Fields(which)...)...)...)
			}
		}
		got := r.look(t, want)
		if diff := cmp.Diff(want, got); diff != "" || len(open) > 0 {
			return fmt.Errorf("letters %+v; (-want +got):\n%s", open[:min(3, len(open))], diff)
		}
		return nil
	})
}

// look tells how the orders and the levels of want stand.
func (r *restoring) look(t *testing.T, want map[string]string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for name := range want {
		id, isOrder := r.ids[name]
		if !isOrder {
			got[name] = fmt.Sprint(r.levels(t, name))
			continue
		}
		o, err := r.Order(t.Context(), id)
		switch {
		case client.StatusOf(err) == http.StatusNotFound:
			o.Status = "lost"
		case err == nil && !o.Completed:
			o.Status += " and open"
		}
		stock, _ := r.Reservation(t.Context(), id)
		payment, _ := r.Payment(t.Context(), id)
		intent, _ := r.Intent(t.Context(), id)
		got[name] = fmt.Sprintf("%s, stock %s, payment %s, gateway %s", o.Status, stock.Status, payment.Status, intent.Status)
	}
	return got
}

// contradicted waits until services have dead letters of the events that were published anew.
func (r *restoring) contradicted(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		eventually(t, "contradictions in "+service, func() error {
			letters, _, err := r.DeadLetters(t.Context(), service, client.DeadLetterFilter{Class: "contradiction"}, 1)
			if err == nil && len(letters) == 0 {
				err = errors.New("there are none")
			}
			return err
		})
	}
}

// refused says whether order has refused answers about these orders and no others.
func (r *restoring) refused(t *testing.T, lost []string) error {
	letters, _, err := r.DeadLetters(t.Context(), "order", client.DeadLetterFilter{Class: "refused"}, 1000)
	if err != nil {
		return err
	}
	var keys []string
	for _, l := range letters {
		keys = append(keys, l.Key)
	}
	slices.Sort(keys)
	slices.Sort(lost)
	if diff := cmp.Diff(lost, slices.Compact(keys)); diff != "" || len(lost) != 5 {
		return fmt.Errorf("(-lost +refused):\n%s", diff)
	}
	return nil
}

// booksAgree checks that the ledger balances and that the gateway did nothing twice.
func (r *restoring) booksAgree(t *testing.T) {
	t.Helper()
	lines, err := r.WholeLedger(t.Context())
	sure(t, err)
	net, left := int64(0), int64(0)
	for _, l := range lines {
		net += l.Debit - l.Credit
		if l.Account == "gateway_clearing" {
			left += l.Debit - l.Credit
		}
	}
	if net != 0 {
		t.Errorf("G5: the ledger does not balance: %+v", lines)
	}
	operations, err := r.Operations(t.Context())
	sure(t, err)
	done := make(map[string]int)
	for _, o := range operations {
		if done[o.After.Reference+" "+o.Operation]++; done[o.After.Reference+" "+o.Operation] > 1 {
			t.Errorf("G2: done twice at the gateway: %+v", o)
		}
		switch o.Operation {
		case "capture":
			left -= o.Amount
		case "refund":
			left += o.Amount
		}
	}
	if left != 0 {
		t.Errorf("G5: the ledger has %d more than the gateway", left)
	}
}
