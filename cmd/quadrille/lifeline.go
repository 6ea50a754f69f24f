package main

import (
	"context"
	"io"
	"os"
)

// lifeline returns a context that ends with standard input, a pipe from the parent: however the parent dies, what it
// started stops.
func lifeline(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it, the parent is gone
		cancel()
	}()
	return ctx
}
