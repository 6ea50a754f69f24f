package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

// How an order stands that was paid, and one whose money went back.
const (
	captured = "confirmed, stock committed, payment captured, gateway captured"
	refunded = "cancelled, stock released, payment refunded, gateway refunded"
)

// TestADatabaseIsRestoredBehindKafka: each service in its turn goes back to a copy that is older than its topics, made
// while nothing was under way. Of what docs/operations.md says, that comes of it which does not need more.
func TestADatabaseIsRestoredBehindKafka(t *testing.T) {
	r := &restoring{
		folder: t.TempDir(), copies: t.TempDir(), processes: make(map[string]*launch.Process),
		ids: make(map[string]string),
	}
	args := []string{"--ephemeral", "--without", strings.Join(serviceNames, ",")}
	for _, name := range serviceNames {
		args = append(args, "--database="+name+"=sqlite://"+filepath.Join(r.folder, name+".db"))
	}
	r.platform = up(t, args...)
	r.enter(t, serviceNames...)
	r.stock(t, "held", 10)
	r.buy(t, "kept", "held")
	r.buy(t, "undone since", "held")

	r.copied = time.Now()
	r.leave(t, serviceNames...)
	sure(t, os.CopyFS(r.copies, os.DirFS(r.folder)))
	r.enter(t, serviceNames...)
	r.undo(t, "undone since")
	r.buy(t, "sold", "held")
	r.buy(t, "undone", "held")
	r.undo(t, "undone")
	r.stock(t, "held", 5)
	r.stock(t, "fresh", 5)
	r.price(t, "held", 120)
	r.buy(t, "fresh one", "fresh")
	r.buy(t, "undone late", "held")
	known := map[string]string{
		"held": "{12 0 3}", "fresh": "{4 0 1}", "kept": captured, "sold": captured, "fresh one": captured,
		"undone late": captured, "undone": refunded, "undone since": refunded,
	}
	r.await(t, known)

	r.notificationIsRestored(t, known)
	r.paymentIsRestored(t, known)
	r.inventoryIsRestored(t, known)
	r.orderIsRestored(t, known)
	r.buy(t, "after all", "held")
	r.leave(t, serviceNames...)
}

// notificationIsRestored: what was told since is told once more, under the same Message-IDs, and nothing else happens.
func (r *restoring) notificationIsRestored(t *testing.T, known map[string]string) {
	t.Helper()
	r.lose(t, "notification")
	r.setBack(t, "notification")
	r.enter(t, "notification")
	for name, times := range map[string]int{"kept": 1, "undone since": 5, "undone": 6} {
		ids := arrived(t, r.Mail, r.ids[name], times)
		r.caughtUp(t, "notification")
		slices.Sort(ids)
		if again := mails(t, r.Mail, r.ids[name]); len(again) != times || len(slices.Compact(ids)) != (times+1)/2 {
			t.Errorf("about %q came %q", name, again)
		}
	}
	r.await(t, known)
}

// paymentIsRestored: it calls again under the same keys, and asks about each order that was cancelled since, whatever it
// knows to have called: one had its money back before the restore, one has not.
func (r *restoring) paymentIsRestored(t *testing.T, known map[string]string) {
	t.Helper()
	r.lose(t, "payment")
	r.cancel(t, r.ids["undone late"])
	r.setBack(t, "payment")
	settings := r.LeftOut["payment"]
	r.LeftOut["payment"] = append(slices.Clone(settings), "QUADRILLE_ASK_BEFORE_VOID=true")
	r.enter(t, "payment")
	r.LeftOut["payment"] = settings
	r.contradicted(t, "order")
	known["undone late"], known["held"] = refunded, "{13 0 2}"
	r.await(t, known, "--class contradiction --topic payment.events")
	r.booksAgree(t)
}

// inventoryIsRestored: once it has what came in since, it reserves, sells and releases anew.
func (r *restoring) inventoryIsRestored(t *testing.T, known map[string]string) {
	t.Helper()
	r.lose(t, "inventory")
	r.enter(t, "inventory") // to be told what came in since
	r.stock(t, "held", 5)
	r.stock(t, "fresh", 5)
	r.leave(t, "inventory")
	r.setBack(t, "inventory")
	r.enter(t, "inventory")
	r.contradicted(t, "order", "payment")
	r.await(t, known, "--class contradiction --topic inventory.events")
	r.price(t, "held", 120)
}

// orderIsRestored: the orders placed since are lost, and what was cancelled since is confirmed again.
func (r *restoring) orderIsRestored(t *testing.T, known map[string]string) {
	t.Helper()
	r.leave(t, "payment")
	r.ids["pending"] = r.place(t, "tok_visa", line{"held", 1}).ID
	r.caughtUp(t, "inventory")
	r.lose(t, "order")
	r.setBack(t, "order")
	r.enter(t, "payment", "order")
	var lost []string
	for _, e := range objects[shownEvent](t, must(t, r.events("--topic", "order.events", "--type", "OrderPlaced",
		"--from", r.copied.UTC().Format(time.RFC3339Nano), "--json")...)) {
		lost = append(lost, e.Key)
	}
	eventually(t, "letters about each order that was lost", func() error { return r.refused(t, lost) })
	for _, name := range []string{"sold", "fresh one", "undone", "undone late", "pending"} {
		_, rest, _ := strings.Cut(known[name], ",")
		known[name] = "lost," + rest
	}
	known["pending"] = "lost, stock reserved, payment authorized, gateway authorized"
	known["undone since"] = strings.Replace(refunded, "cancelled", "confirmed", 1)
	known["held"] = "{12 1 2}"
	foretold := []string{
		"--class contradiction --topic order.events", "--class refused --service order",
		// What the others published twice before order reads twice.
		"--class contradiction --service order",
	}
	r.await(t, known, foretold...)
	r.cancel(t, r.ids["undone since"])
	known["undone since"] = refunded
	r.await(t, known, foretold...)
	r.booksAgree(t)
}
