package service

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameSignal is how long after the first a further signal means the same: timeout(1) and make send it to the process
// and to its group.
const sameSignal = time.Second

// UntilSignal returns a context that ends at SIGINT or SIGTERM, or with its parent. After a second the next of them
// ends the process at once, whatever it is doing. Stop frees what it holds.
func UntilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() { time.AfterFunc(sameSignal, stop) })
	return ctx, stop
}
