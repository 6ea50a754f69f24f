package main

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

func loadOrders(ctx context.Context, tx *pgx.Conn, messages []*message) (map[string]*orderState, map[string]int64,
	error) {
	ids := keysOf(messages)
	for _, text := range []string{shareProjections, selectActive} {
		if _, err := tx.Exec(ctx, text); err != nil {
			return nil, nil, err
		}
	}
	if _, err := tx.Exec(ctx, lockOrders, ids); err != nil {
		return nil, nil, err
	}
	states, err := loadStreams(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	var skus []string
	for _, m := range messages {
		if m.purchase != nil {
			for _, l := range m.purchase.Lines {
				skus = append(skus, l.SKU)
			}
		}
	}
	prices := make(map[string]int64)
	if skus = sortedOnce(skus); len(skus) == 0 {
		return states, prices, nil
	}
	found, err := tx.Query(ctx, selectCatalogue, skus)
	if err != nil {
		return nil, nil, err
	}
	var sku string
	var price int64
	_, err = pgx.ForEachRow(found, []any{&sku, nil, &price, nil, nil, nil}, func() error {
		prices[sku] = price
		return nil
	})
	return states, prices, err
}

// loadStreams folds the events of orders.
func loadStreams(ctx context.Context, tx *pgx.Conn, ids []string) (map[string]*orderState, error) {
	found, err := tx.Query(ctx, selectStreams, foldNumber, int64(math.MaxInt64),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC), ids)
	if err != nil {
		return nil, err
	}
	states := make(map[string]*orderState, len(ids))
	var id, kind, text string
	_, err = pgx.ForEachRow(found, []any{&id, nil, &kind, &text, nil}, func() error {
		var e orderEvent
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			return err
		}
		if states[id] == nil {
			states[id] = &orderState{}
		}
		states[id].apply(kind, e)
		return nil
	})
	return states, err
}
