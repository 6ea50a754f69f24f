package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

func loadPayments(ctx context.Context, tx *pgx.Conn, ids []string) (map[string]*paymentRow, error) {
	if _, err := tx.Exec(ctx, lockPayments, ids); err != nil {
		return nil, err
	}
	found, err := tx.Query(ctx, selectPayments, ids)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*paymentRow, len(ids))
	var r paymentRow
	_, err = pgx.ForEachRow(found, []any{
		&r.id, &r.amount, &r.currency, &r.method, &r.placed, &r.reserved, &r.confirmed, nil, &r.intent, &r.authorized,
		&r.captured, nil, nil, nil, nil, nil, nil, nil, nil, nil, &r.next, &r.version, &r.updated, &r.correlation,
		&r.trace, &r.stored, &r.claims,
	}, func() error {
		kept := r
		all[r.id], r.next = &kept, nil
		return nil
	})
	return all, err
}

func savePayments(ctx context.Context, tx *pgx.Conn, ids []string, payments map[string]*paymentRow) error {
	var fresh, known []*paymentRow
	for _, id := range ids {
		if r := payments[id]; r.stored == 0 {
			fresh = append(fresh, r)
		} else {
			known = append(known, r)
		}
	}
	for text, all := range map[string][]*paymentRow{insertPayments: fresh, updatePayments: known} {
		if len(all) == 0 {
			continue
		}
		n := len(all)
		empty, no := same(n, ""), same(n, false)
		_, err := tx.Exec(ctx, text,
			column(all, func(r *paymentRow) string { return r.id }),
			column(all, func(r *paymentRow) int64 { return r.amount }),
			column(all, func(r *paymentRow) string { return r.currency }),
			column(all, func(r *paymentRow) string { return r.method }),
			column(all, func(r *paymentRow) bool { return r.placed }),
			column(all, func(r *paymentRow) bool { return r.reserved }),
			column(all, func(r *paymentRow) bool { return r.confirmed }), no,
			column(all, func(r *paymentRow) string { return r.intent }),
			column(all, func(r *paymentRow) int64 { return r.authorized }),
			column(all, func(r *paymentRow) int64 { return r.captured }), same(n, int64(0)), empty, empty, no, no,
			empty, empty, empty, no, column(all, func(r *paymentRow) *string { return r.next }),
			column(all, func(r *paymentRow) int64 { return r.version }),
			column(all, func(r *paymentRow) time.Time { return r.updated }),
			column(all, func(r *paymentRow) string { return r.correlation }),
			column(all, func(r *paymentRow) string { return r.trace }),
			column(all, func(r *paymentRow) int64 { return r.stored }),
			column(all, func(r *paymentRow) int64 { return r.claims }))
		if err != nil {
			return err
		}
	}
	return nil
}

func book(ctx context.Context, tx *pgx.Conn, all []booking) error {
	if len(all) == 0 {
		return nil
	}
	empty := same(len(all), "")
	_, err := tx.Exec(ctx, insertEntries,
		column(all, func(b booking) string { return b.order }), column(all, func(b booking) int64 { return b.version }),
		column(all, func(b booking) int64 { return b.line }), column(all, func(b booking) string { return b.account }),
		column(all, func(b booking) int64 { return b.debit }), column(all, func(b booking) int64 { return b.credit }),
		column(all, func(b booking) string { return b.currency }),
		column(all, func(b booking) string { return b.event }),
		column(all, func(b booking) time.Time { return b.at }), empty, empty)
	return err
}
