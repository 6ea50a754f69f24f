package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// saveOrders appends events, and writes the rows of lists.
func saveOrders(ctx context.Context, tx *pgx.Conn, ids []string, states map[string]*orderState, events []stored) error {
	_, err := tx.Exec(ctx, insertEvents,
		column(events, func(s stored) string { return s.event.OrderID }),
		column(events, func(s stored) int64 { return s.event.Version }),
		column(events, func(s stored) string { return s.kind }),
		column(events, func(s stored) string { return s.text }),
		column(events, func(s stored) time.Time { return s.event.At }),
		column(events, func(s stored) string { return s.id }),
		column(events, func(s stored) string { return s.because.cause }),
		column(events, func(s stored) string { return s.because.correlation }))
	if err != nil {
		return err
	}
	var fresh, changed []*orderState
	for _, id := range ids {
		if s := states[id]; s.isNew {
			fresh = append(fresh, s)
		} else {
			changed = append(changed, s)
		}
	}
	if len(fresh) > 0 {
		args, err := orderColumns(fresh)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertOrders, append(args,
			column(fresh, func(s *orderState) string { return s.cause.correlation }),
			column(fresh, func(s *orderState) string { return s.cause.trace }),
			column(fresh, func(s *orderState) string { return s.text }))...)
		if err != nil {
			return err
		}
	}
	if len(changed) > 0 {
		args, err := orderColumns(changed)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, updateOrders, args...); err != nil {
			return err
		}
	}
	return nil
}

// orderColumns are those that insert and update share.
func orderColumns(all []*orderState) ([]any, error) {
	texts := make([]string, len(all))
	for i, s := range all {
		text, err := json.Marshal(s.progress)
		if err != nil {
			return nil, err
		}
		texts[i] = string(text)
	}
	return []any{
		column(all, func(s *orderState) string { return s.first.OrderID }),
		column(all, func(s *orderState) string { return s.first.CustomerID }),
		column(all, func(s *orderState) time.Time { return s.first.At }),
		column(all, (*orderState).status), column(all, (*orderState).deadline), column(all, (*orderState).openSince),
		column(all, func(s *orderState) int64 { return s.version }), texts, same(len(all), int64(foldNumber)),
	}, nil
}

func sortedOnce(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}
