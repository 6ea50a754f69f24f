package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// patience waits for what takes its time, and from time to time says for what.
type patience struct {
	// tell is where it says so.
	tell io.Writer
}

const (
	tryEvery  = 50 * time.Millisecond
	tellEvery = 10 * time.Second
)

// until calls try until it succeeds or ctx ends. What is waited for follows the words "waiting for", such as "order to
// be ready".
func (p patience) until(ctx context.Context, what string, try func() error) error {
	ticker := time.NewTicker(tryEvery)
	defer ticker.Stop()
	told := time.Now()
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Since(told) >= tellEvery {
			told = time.Now()
			fmt.Fprintf(p.tell, "quadrille: waiting for %s: %v\n", what, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
