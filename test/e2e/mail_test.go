package e2e

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/platform/mailbox"
)

// mails lists the Message-IDs of the mails about an order, as they arrived at the mailbox whose page is at addr.
func mails(t *testing.T, addr, orderID string) []string {
	t.Helper()
	found, err := client.New(client.Addresses{Mail: addr}).Mails(t.Context(), orderID)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range found {
		ids = append(ids, m.MessageID)
	}
	return ids
}

// arrived waits until an order has as many mails and returns their Message-IDs.
func arrived(t *testing.T, addr, orderID string, n int) (ids []string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d mails about %s", n, orderID), func() error {
		if ids = mails(t, addr, orderID); len(ids) < n {
			return fmt.Errorf("there are %q", ids)
		}
		return nil
	})
	return ids
}

// notifications lists what the service says about an order's mails: kind, status and reason, sorted. They are listed as
// the reasons for them were learnt, which across topics is any order.
func (p *platform) notifications(t *testing.T, orderID string) (told []string) {
	t.Helper()
	found, err := p.Notifications(t.Context(), orderID)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range found {
		told = append(told, strings.TrimSpace(n.Kind+" "+n.Status+" "+n.Reason))
	}
	slices.Sort(told)
	return told
}

// told waits until the service has ended as many mails of an order.
func (p *platform) told(t *testing.T, orderID string, want ...string) {
	t.Helper()
	slices.Sort(want)
	eventually(t, "notifications about "+orderID, func() error {
		if diff := cmp.Diff(want, p.notifications(t, orderID)); diff != "" {
			return fmt.Errorf("(-want +got):\n%s", diff)
		}
		return nil
	})
}

func (p *platform) cancel(t *testing.T, orderID string) {
	t.Helper()
	if _, err := p.Cancel(t.Context(), orderID, "Ordered by mistake"); err != nil {
		t.Fatal(err)
	}
}

func idsOf(orderID string, kinds ...string) []string {
	var ids []string
	for _, kind := range kinds {
		ids = append(ids, orderID+"."+kind+"@quadrille.example")
	}
	return ids
}

// buyFor is a purchase of one tea, told to an address.
func buyFor(address string) client.Purchase {
	purchase := client.Buy("tok_visa", client.Line{SKU: "tea-001", Quantity: 1})
	purchase.Email = address
	return purchase
}

func TestCustomersAreTold(t *testing.T) {
	p := up(t, "--ephemeral", "--set", "QUADRILLE_SMTP_TIMEOUT=1s")

	t.Run("confirmed, then cancelled", func(t *testing.T) {
		placed := p.place(t, "tok_visa", line{"tea-001", 1})
		p.completed(t, placed.ID)
		p.cancel(t, placed.ID)
		p.completed(t, placed.ID)
		got := arrived(t, p.Mail, placed.ID, 3)
		if diff := cmp.Diff(idsOf(placed.ID, "confirmation", "cancellation", "refund"), got); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
		p.told(t, placed.ID, "confirmation sent", "cancellation sent", "refund sent")
	})

	t.Run("declined, so nothing is given back", func(t *testing.T) {
		placed := p.place(t, "tok_declined", line{"tea-001", 1})
		p.completed(t, placed.ID)
		p.told(t, placed.ID, "cancellation sent")
		if diff := cmp.Diff(idsOf(placed.ID, "cancellation"), mails(t, p.Mail, placed.ID)); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
	})

	t.Run("the address is refused", func(t *testing.T) {
		placed, err := p.Place(t.Context(), buyFor("refused@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		p.completed(t, placed.ID)
		p.told(t, placed.ID, "confirmation failed refused")
		if got := mails(t, p.Mail, placed.ID); len(got) > 0 {
			t.Errorf("mails %q", got)
		}
		if got := p.publishedAbout(t, placed.ID); !cmp.Equal(got, []string{"quadrille.notification.NotificationFailed"}) {
			t.Errorf("published %q", got)
		}
	})

	t.Run("the server is slow to take it", func(t *testing.T) {
		placed, err := p.Place(t.Context(), buyFor("busy@example.com"))
		if err != nil {
			t.Fatal(err)
		}
		p.completed(t, placed.ID)
		p.told(t, placed.ID, "confirmation sent")
		if diff := cmp.Diff(idsOf(placed.ID, "confirmation"), mails(t, p.Mail, placed.ID)); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
	})

	t.Run("notification is killed under load", p.killedWhileMailing)
}

// publishedAbout waits for the first event of notification about an order and returns the types of all there are.
func (p *platform) publishedAbout(t *testing.T, orderID string) (types []string) {
	t.Helper()
	consumer, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka), kgo.ConsumeTopics("notification.events"))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	eventually(t, "an event of notification about "+orderID, func() error {
		consumer.PollFetches(t.Context()).EachRecord(func(r *kgo.Record) {
			for _, h := range r.Headers {
				if h.Key == "ce_type" && string(r.Key) == orderID {
					types = append(types, string(h.Value))
				}
			}
		})
		if len(types) == 0 {
			return fmt.Errorf("there is none")
		}
		return nil
	})
	return types
}

// killedWhileMailing: each order has its mails in their order, and one that repeats has the same Message-ID.
func (p *platform) killedWhileMailing(t *testing.T) {
	const buyers, each = 8, 10
	p.stock(t, "mailed", buyers*each)
	var mu sync.Mutex
	var ids []string
	var buying sync.WaitGroup
	for range buyers {
		buying.Go(func() {
			for range each {
				o, err := placeAt(p.Services["order"], "tok_visa", line{"mailed", 1})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				ids = append(ids, o.ID)
				mu.Unlock()
			}
		})
	}
	for range 3 {
		killed := p.children(t)["notification"]
		if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "return of notification", func() error {
			if pid := p.children(t)["notification"]; pid == 0 || pid == killed {
				return fmt.Errorf("pid is %d, was %d", pid, killed)
			}
			return p.Ready(t.Context(), "notification")
		})
	}
	buying.Wait()
	for i, id := range ids {
		p.completed(t, id)
		if i%2 == 0 {
			p.cancel(t, id)
		}
	}
	repeated := 0
	for i, id := range ids {
		want, statuses := idsOf(id, "confirmation"), []string{"confirmation sent"}
		if i%2 == 0 {
			want = idsOf(id, "confirmation", "cancellation", "refund")
			statuses = []string{"confirmation sent", "cancellation sent", "refund sent"}
		}
		p.told(t, id, statuses...)
		got := mails(t, p.Mail, id)
		var once []string
		for _, message := range got {
			if len(once) == 0 || once[len(once)-1] != message {
				once = append(once, message)
			}
		}
		repeated += len(got) - len(once)
		if diff := cmp.Diff(want, once); diff != "" {
			t.Errorf("mails of %s, repetitions aside (-want +got):\n%s", id, diff)
		}
	}
	t.Logf("%d orders, %d mails repeated", len(ids), repeated)
}

// TestMailsOutlastTheServer: while it is away they wait, when it is back each goes out once, in order.
func TestMailsOutlastTheServer(t *testing.T) {
	folder := t.TempDir()
	start := func(addr string) *mailbox.Mailbox {
		m, err := mailbox.Start(mailbox.Config{SMTPAddr: addr, Data: folder, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := start("")
	addr := m.SMTPAddr()
	p := up(t, "--ephemeral", "--set", "QUADRILLE_SMTP_ADDR="+addr)
	before := p.place(t, "tok_visa", line{"tea-001", 1})
	p.told(t, before.ID, "confirmation sent")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 10 {
		ids = append(ids, p.place(t, "tok_visa", line{"tea-001", 1}).ID)
	}
	for _, id := range ids {
		if o := p.completed(t, id); o.Status != "confirmed" { // nobody waits for a mail
			t.Errorf("ended as %+v", o)
		}
		p.told(t, id, "confirmation pending")
		p.cancel(t, id)
		p.completed(t, id)
		p.told(t, id, "confirmation pending", "cancellation waiting", "refund waiting")
	}
	m = start(addr)
	defer m.Close()
	for _, id := range ids {
		p.told(t, id, "confirmation sent", "cancellation sent", "refund sent")
		if diff := cmp.Diff(idsOf(id, "confirmation", "cancellation", "refund"), mails(t, m.Addr(), id)); diff != "" {
			t.Errorf("mails (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(idsOf(before.ID, "confirmation"), mails(t, m.Addr(), before.ID)); diff != "" {
		t.Errorf("mails of before (-want +got):\n%s", diff)
	}
}
