package kafka_test

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

// The broker goes at the worst instant: the group has assigned a partition, and where to start is asked for next.
func TestAGroupDoesNotDialWithoutRest(t *testing.T) {
	cluster := startBroker(t, 1)
	var gone atomic.Bool
	cluster.ControlKey(int16(kmsg.OffsetFetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		gone.Store(true)
		return nil, net.ErrClosed, true
	})
	const enough = 40
	var dials atomic.Int64
	var first time.Time
	done := make(chan time.Duration, 1)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if !gone.Load() {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		switch dials.Add(1) {
		case 1:
			first = time.Now()
		case enough:
			done <- time.Since(first)
		}
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	join(t, cluster, newSink().take, func(c *kafka.ConsumerConfig[string]) {
		c.Options = append(c.Options, kgo.Dialer(dial))
	})
	// The client dials its seed and the broker it knows, each for requests, fetches and groups by themselves.
	if took, least := <-done, enough/10*100*time.Millisecond; took < least {
		t.Errorf("%d dials that nobody answered took %v, want at least %v", enough, took, least)
	}
	gone.Store(false) // so that the member can leave
}
