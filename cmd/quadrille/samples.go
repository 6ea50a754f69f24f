package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

// unfinishedSamples is the file that says that they were not all stocked.
const unfinishedSamples = "samples.unfinished"

// sample is a product that a platform without any is stocked with.
type sample struct {
	sku, name string
	price     int64 // euro cents
	quantity  int64
}

var samples = []sample{
	{"tea-001", "Green tea, 100 g", 899, 10_000},
	{"cup-001", "Porcelain cup", 1450, 10_000},
	{"pot-001", "Cast-iron teapot", 6900, 10_000},
	{"cake-001", "Last cake of the day", 1200, 1},
}

// settle waits until every running service is ready, stocks the samples, and waits until order lists those that
// inventory has.
func settle(ctx context.Context, wait patience, data string, addrs addresses, running []string) error {
	for _, name := range running {
		err := wait.until(ctx, name+" to be ready", func() error { return get(ctx, addrs.Admin[name], "/readyz", nil) })
		if err != nil {
			return err
		}
	}
	if !slices.Contains(running, "inventory") {
		return nil
	}
	stocked, err := stockSamples(ctx, wait, filepath.Join(data, unfinishedSamples), addrs.Services["inventory"])
	if err != nil || !slices.Contains(running, "order") {
		return err
	}
	return listed(ctx, wait, stocked, addrs.Services["order"])
}

// stockSamples does what stockOnce does, once inventory lets it.
func stockSamples(ctx context.Context, wait patience, unfinished, inventory string) (stocked []string, err error) {
	err = wait.until(ctx, "inventory to have the samples", func() (err error) {
		stocked, err = stockOnce(ctx, unfinished, inventory)
		return err
	})
	return stocked, err
}

// listed waits until order lists the products.
func listed(ctx context.Context, wait patience, skus []string, order string) error {
	return wait.until(ctx, "order to list the samples", func() error {
		there, err := products(ctx, order)
		if err != nil {
			return err
		}
		for _, sku := range skus {
			if !slices.Contains(there, sku) {
				return fmt.Errorf("order does not list %s yet", sku)
			}
		}
		return nil
	})
}

// stockOnce stocks the samples if inventory has no product, or if that was begun and cut short, which the file at
// unfinished says. Where there is any product but samples, or samples without that file, they are somebody's and left
// alone. It returns the samples that inventory has.
func stockOnce(ctx context.Context, unfinished, inventory string) (stocked []string, err error) {
	present, err := products(ctx, inventory)
	if err != nil {
		return nil, err
	}
	owned := false
	for _, sku := range present {
		if isSample(sku) {
			stocked = append(stocked, sku)
		} else {
			owned = true
		}
	}
	_, err = os.Stat(unfinished)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look whether samples were stocked: %w", err)
	}
	if owned || len(present) > 0 && err != nil {
		return stocked, nil
	}

	// Written before the first product, so that wherever this is cut short the next start goes on.
	if err := os.WriteFile(unfinished, nil, 0o644); err != nil {
		return nil, fmt.Errorf("note that samples are being stocked: %w", err)
	}
	stocked = nil
	for _, s := range samples {
		if err := s.stock(ctx, inventory); err != nil {
			return nil, err
		}
		stocked = append(stocked, s.sku)
	}
	if err := os.Remove(unfinished); err != nil {
		return nil, fmt.Errorf("note that samples are stocked: %w", err)
	}
	return stocked, nil
}

func isSample(sku string) bool {
	return slices.ContainsFunc(samples, func(s sample) bool { return s.sku == sku })
}

// stock may be cut short and repeated: a product is put as it is, and a restock has a key of its own.
func (s sample) stock(ctx context.Context, inventory string) error {
	product := map[string]any{"name": s.name, "price": map[string]any{"amount": s.price, "currency": "EUR"}}
	if err := send(ctx, http.MethodPut, inventory, "/v1/products/"+s.sku, "", product); err != nil {
		return err
	}
	return send(ctx, http.MethodPost, inventory, "/v1/products/"+s.sku+"/restocks", "sample-"+s.sku,
		map[string]any{"quantity": s.quantity})
}

// products returns the skus of all products that a service lists.
func products(ctx context.Context, addr string) ([]string, error) {
	var skus []string
	for cursor := ""; ; {
		query := url.Values{"limit": {"100"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page struct {
			Items []struct {
				SKU string `json:"sku"`
			} `json:"items"`
			NextCursor string `json:"next_cursor"`
		}
		if err := get(ctx, addr, "/v1/products?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			skus = append(skus, item.SKU)
		}
		if cursor = page.NextCursor; cursor == "" {
			return skus, nil
		}
	}
}
