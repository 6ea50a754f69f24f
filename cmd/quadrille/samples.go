package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// samples are stocked when inventory has no product at all.
var samples = []struct {
	sku, name string
	price     int64 // euro cents
	quantity  int64
}{
	{"tea-001", "Green tea, 100 g", 899, 10_000},
	{"cup-001", "Porcelain cup", 1450, 10_000},
	{"pot-001", "Cast-iron teapot", 6900, 10_000},
	{"cake-001", "Last cake of the day", 1200, 1},
}

// settle waits until every running service is ready, stocks the samples, and waits until order lists what inventory
// has.
func settle(ctx context.Context, addrs addresses, running []string) error {
	for _, name := range running {
		if err := await(ctx, func() error { return get(ctx, addrs.Admin[name], "/readyz", nil) }); err != nil {
			return err
		}
	}
	if !slices.Contains(running, "inventory") {
		return nil
	}
	var stocked struct {
		Items []struct {
			SKU string `json:"sku"`
		} `json:"items"`
	}
	if err := get(ctx, addrs.Services["inventory"], "/v1/products?limit=1", &stocked); err != nil {
		return err
	}
	if len(stocked.Items) == 0 {
		if err := stock(ctx, addrs.Services["inventory"]); err != nil {
			return err
		}
	}
	if !slices.Contains(running, "order") {
		return nil
	}
	return await(ctx, func() error {
		stocked.Items = nil
		if err := get(ctx, addrs.Services["order"], "/v1/products", &stocked); err != nil {
			return err
		}
		if len(stocked.Items) == 0 {
			return fmt.Errorf("order lists no products yet")
		}
		return nil
	})
}

// stock may be cut short and repeated: a product is put as it is, and a restock has a key of its own.
func stock(ctx context.Context, inventory string) error {
	for _, s := range samples {
		product := map[string]any{"name": s.name, "price": map[string]any{"amount": s.price, "currency": "EUR"}}
		if err := send(ctx, http.MethodPut, inventory, "/v1/products/"+s.sku, "", product); err != nil {
			return err
		}
		err := send(ctx, http.MethodPost, inventory, "/v1/products/"+s.sku+"/restocks", "sample-"+s.sku,
			map[string]any{"quantity": s.quantity})
		if err != nil {
			return err
		}
	}
	return nil
}

func await(ctx context.Context, try func() error) error {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for try() != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

func get(ctx context.Context, addr, path string, into any) error {
	return call(ctx, http.MethodGet, addr, path, "", nil, into)
}

func send(ctx context.Context, method, addr, path, key string, body any) error {
	return call(ctx, method, addr, path, key, body, nil)
}

func call(ctx context.Context, method, addr, path, key string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the body of %s %s: %w", method, path, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	if body == nil {
		req.Body, req.ContentLength = nil, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s%s: %s", method, addr, path, res.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}
