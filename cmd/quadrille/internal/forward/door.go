package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// reachWithin bounds an attempt to connect to a replica.
const reachWithin = 2 * time.Second

// door is where connections of a route come in.
type door struct {
	listener net.Listener
	to       string
	turn     atomic.Uint64
	// addresses the host of to stands for.
	addresses func(ctx context.Context, host string) ([]string, error)
}

func newDoor(listener net.Listener, to string) *door {
	return &door{listener: listener, to: to, addresses: net.DefaultResolver.LookupHost}
}

// run ends with ctx, and cuts off the connections that are open then.
func (d *door) run(ctx context.Context) error {
	var open sync.WaitGroup
	defer open.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = d.listener.Close() }) // which ends Accept
	defer func() {
		if stop() { // it ends by itself: let nobody knock in vain
			_ = d.listener.Close()
		}
	}()
	for {
		from, err := d.listener.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("forward to %s: %w", d.to, err)
		}
		open.Go(func() { d.through(ctx, from) })
	}
}

// through carries one connection until both sides have said all.
func (d *door) through(ctx context.Context, from net.Conn) {
	defer func() { _ = from.Close() }() // both may have closed it
	to, err := d.reach(ctx)
	if err != nil {
		slog.Warn("nobody takes a connection", "to", d.to, "error", err)
		return
	}
	defer func() { _ = to.Close() }()
	stop := context.AfterFunc(ctx, func() { _, _ = from.Close(), to.Close() })
	defer stop()
	var back sync.WaitGroup
	back.Go(func() { carry(from, to) })
	carry(to, from)
	back.Wait()
}

// carry copies until one side ends, and passes that on. What fails is for those who speak to each other to notice.
func carry(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	_, _ = to.Close(), from.Close()
}

// reach connects to the replica whose turn it is, or to the next that takes the connection.
func (d *door) reach(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(d.to)
	if err != nil {
		return nil, err
	}
	found, err := d.addresses(ctx, host)
	if err != nil {
		return nil, err
	}
	first := int(d.turn.Add(1) % uint64(max(1, len(found))))
	dialer := net.Dialer{Timeout: reachWithin}
	errs := []error{fmt.Errorf("%s has %d addresses", host, len(found))}
	for i := range found {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(found[(first+i)%len(found)], port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
