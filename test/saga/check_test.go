package saga

import "fmt"

// fataler is what testing.T and rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// initial is what there is of each sku at the start.
var initial = map[string]int64{"tea": 5, "cup": 3}

// checkStock is G4: nothing below zero, nothing lost.
func checkStock(t fataler, w *world) {
	t.Helper()
	for sku, all := range initial {
		available, reserved, sold := w.inventory.Levels(sku)
		if available < 0 || reserved < 0 || sold < 0 || available+reserved+sold != all {
			t.Fatalf("G4: %s has %d + %d + %d of %d", sku, available, reserved, sold, all)
		}
	}
}

// checkEnd is G5 and G6 for one order of a world at rest, and says how the order ended.
func checkEnd(t fataler, w *world, id string) string {
	t.Helper()
	status, reason, total, completed := w.order.End(id)
	if !completed {
		t.Fatalf("G6: all is said, but the saga of the %s order %s (%s) is not complete", status, id, reason)
	}
	_, captured, refunded, ended := w.payment.Money(id)
	account := w.gateway[id]
	if account.Method == "tok_refund_declined" { // the books agree but for what was settled by hand
		account.Intent.Refunded = refunded
	}
	var due int64
	if status == "confirmed" {
		due = total
	}
	if captured-refunded != due || account.Intent.Captured-account.Intent.Refunded != due || account.Captures > 1 {
		t.Fatalf("G5: the %s order %s of %d: captured %d, refunded %d; the gateway says %+v",
			status, id, total, captured, refunded, account)
	}
	if ended != (status == "cancelled") {
		t.Fatalf("G5: the order %s is %s, and its payment undone = %t", id, status, ended)
	}
	return fmt.Sprintf("%s %s", status, reason)
}

// checkRest is G4 for a world at rest: nothing is held any more, and what is sold belongs to confirmed orders.
func checkRest(t fataler, w *world) {
	t.Helper()
	sold := make(map[string]int64)
	for id, o := range w.order.State.Orders {
		if status, _, _, _ := w.order.End(id); status != "confirmed" {
			continue
		}
		for _, l := range o.Lines {
			sold[l.SKU] += l.Quantity
		}
	}
	for sku := range initial {
		if _, reserved, got := w.inventory.Levels(sku); reserved != 0 || got != sold[sku] {
			t.Fatalf("G4: at rest, %d of %s are reserved and %d sold; confirmed orders hold %d", reserved, sku, got, sold[sku])
		}
	}
}
