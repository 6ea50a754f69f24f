package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxSaid is how much of a refusal is repeated, in bytes.
const maxSaid = 1 << 10

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
		// What it says helps whoever waits; without it the status has to do.
		said, _ := io.ReadAll(io.LimitReader(res.Body, maxSaid))
		return fmt.Errorf("%s %s%s: %s %s", method, addr, path, res.Status, bytes.TrimSpace(said))
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}
