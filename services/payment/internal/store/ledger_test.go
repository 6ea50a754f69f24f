package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/services/payment/internal/payment"
	"github.com/quadrille-platform/quadrille/services/payment/internal/store"
)

// ledger reads page by page.
func ledger(t *testing.T, db *sqldb.DB, order string, limit int) (lines []store.Line) {
	t.Helper()
	var after store.Position
	for {
		page, err := store.Ledger(t.Context(), db, order, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("%d lines on a page of %d", len(page), limit)
		}
		lines = append(lines, page...)
		if len(page) < limit {
			return lines
		}
		after = page[len(page)-1].Position
	}
}

func TestLedger(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, o := range []string{"sold", "returned", "held"} {
			apply(t, db, place(o), reserve(o), confirm(o))
		}
		claim(t, db, at(4), 10)
		for _, o := range []string{"sold", "returned", "held"} {
			apply(t, db, answer(o, payment.Authorize, "", total, 0, 0))
		}
		later := func(second int, m payment.Message) payment.Message {
			a := m.(payment.Answer)
			a.At = at(second)
			return a
		}
		apply(t, db, later(6, answer("returned", payment.Capture, "", total, total, 0)))
		apply(t, db, later(7, answer("sold", payment.Capture, "", total, total, 0)))
		apply(t, db, cancel("returned"), later(8, answer("returned", payment.Refund, "", total, total, total)))

		sides := func(lines []store.Line) (of []payment.Line) {
			for _, l := range lines {
				of = append(of, l.Line)
			}
			return of
		}
		capture := []payment.Line{
			{Account: payment.GatewayClearing, Debit: total, Currency: "EUR"},
			{Account: payment.Sales, Credit: total, Currency: "EUR"},
		}
		refund := []payment.Line{
			{Account: payment.Sales, Debit: total, Currency: "EUR"},
			{Account: payment.GatewayClearing, Credit: total, Currency: "EUR"},
		}
		for order, want := range map[string][]payment.Line{
			"sold": capture, "returned": append(capture, refund...), "held": nil, "unknown": nil,
		} {
			if diff := cmp.Diff(want, sides(ledger(t, db, order, 1))); diff != "" {
				t.Errorf("lines of the order %s (-want +got):\n%s", order, diff)
			}
		}

		whole := ledger(t, db, "", 100)
		var booked []string
		for _, l := range whole {
			booked = append(booked, fmt.Sprintf("%s %s %d", l.BookedAt.Format("05"), l.OrderID, l.Number))
		}
		inOrder := []string{"06 returned 1", "06 returned 2", "07 sold 1", "07 sold 2", "08 returned 1", "08 returned 2"}
		if diff := cmp.Diff(inOrder, booked); diff != "" {
			t.Errorf("the whole ledger (-want +got):\n%s", diff)
		}
		for _, limit := range []int{1, 2, 4, 6} {
			if diff := cmp.Diff(whole, ledger(t, db, "", limit)); diff != "" {
				t.Errorf("in pages of %d (-whole +paged):\n%s", limit, diff)
			}
		}
		balance := map[payment.Account]int64{}
		events := map[string]int64{}
		for _, l := range whole {
			balance[l.Account] += l.Debit - l.Credit
			events[l.EventID] += l.Debit - l.Credit
		}
		want := map[payment.Account]int64{payment.GatewayClearing: total, payment.Sales: -total}
		if diff := cmp.Diff(want, balance); diff != "" {
			t.Errorf("balances (-want +got):\n%s", diff)
		}
		if len(events) != 3 {
			t.Errorf("%d events were booked, want 3", len(events))
		}
		for id, sum := range events {
			if sum != 0 {
				t.Errorf("the lines of event %s are out of balance by %d", id, sum)
			}
		}
	})
}
