package main

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// due returns the keys whose next call can be claimed.
func (c *caller) due(ctx context.Context, ended []call, now time.Time, limit int) ([]string, error) {
	found, err := c.db.Query(ctx, strings.ReplaceAll(selectDue, "{table}", c.table), now, limit,
		column(ended, func(e call) string { return e.key }), column(ended, func(e call) int64 { return e.claim }))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowTo[string])
}

// claims returns how many calls were ever claimed, by key.
func (c *caller) claims(ctx context.Context, keys []string) (map[string]int64, error) {
	found, err := c.db.Query(ctx, selectLeases, keys)
	if err != nil {
		return nil, err
	}
	all := make(map[string]int64, len(keys))
	var key string
	var n int64
	_, err = pgx.ForEachRow(found, []any{&key, nil, &n, nil, nil, nil}, func() error {
		all[key] = n
		return nil
	})
	return all, err
}

type leaseRow struct {
	key, operation string
	claims         int64
	until, retry   time.Time
}

func (c *caller) save(ctx context.Context, changed map[string]leaseRow) error {
	all := make([]leaseRow, 0, len(changed))
	for _, row := range changed {
		all = append(all, row)
	}
	_, err := c.db.Exec(ctx, upsertLeases, column(all, func(l leaseRow) string { return l.key }),
		column(all, func(l leaseRow) string { return l.operation }),
		column(all, func(l leaseRow) int64 { return l.claims }), same(len(all), int64(1)),
		column(all, func(l leaseRow) time.Time { return l.until }),
		column(all, func(l leaseRow) time.Time { return l.retry }))
	return err
}
