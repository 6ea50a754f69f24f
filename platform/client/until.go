package client

import (
	"context"
	"fmt"
	"time"
)

const tryEvery = 20 * time.Millisecond

// Until calls try until it returns nil. At the end of ctx the error says what was waited for and what try said last.
func Until(ctx context.Context, what string, try func() error) error {
	ticker := time.NewTicker(tryEvery)
	defer ticker.Stop()
	var last error
	for {
		err := try()
		if err == nil {
			return nil
		}
		// A try that was cut short says nothing but that.
		if ctx.Err() == nil || last == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w (%w)", what, last, ctx.Err())
		case <-ticker.C:
		}
	}
}
