package sim

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// Host is where a process runs: it listens and dials.
type Host struct {
	network *Network
	name    string

	mu        sync.Mutex
	cut       bool
	stalled   bool
	slow      time.Duration
	moves     chan struct{} // closed when a stall ends or the host is cut
	listeners []*listener
	wires     map[*wire]struct{}
	watch     func() bool
}

// Listen opens a port, which must be free.
func (h *Host) Listen(_, address string) (net.Listener, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	l := &listener{
		host: h, addr: addr, key: addr.String(), arrived: make(chan net.Conn), closed: make(chan struct{}),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cut {
		return nil, errCut
	}
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	if h.network.listeners[l.key] != nil {
		return nil, fmt.Errorf("port %s is taken", l.key)
	}
	h.network.listeners[l.key] = l
	h.listeners = append(h.listeners, l)
	return l, nil
}

// Dial connects to a port.
func (h *Host) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	h.network.mu.Lock()
	l := h.network.listeners[address]
	h.network.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errRefused}
	}
	near, nearWire := net.Pipe()
	farWire, far := net.Pipe()
	w := &wire{network: h.network, hosts: [2]*Host{h, l.host}, ends: [2]net.Conn{nearWire, farWire}}
	if !w.join() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errCut}
	}
	select {
	case l.arrived <- far:
	case <-l.closed:
		w.cut()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errRefused}
	case <-ctx.Done():
		w.cut()
		return nil, ctx.Err()
	}
	w.run()
	return near, nil
}

// Cut ends every connection and every port of the host, for ever.
func (h *Host) Cut() {
	h.mu.Lock()
	h.cut = true
	listeners := h.listeners
	h.stir()
	h.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close()
	}
	h.CutWires(nil)
}

// CutWires ends the connections to other, or all if it is nil. New ones can be made.
func (h *Host) CutWires(other *Host) (n int) {
	h.mu.Lock()
	var cut []*wire
	for w := range h.wires {
		if other == nil || w.hosts[0] == other || w.hosts[1] == other {
			cut = append(cut, w)
		}
	}
	h.mu.Unlock()
	for _, w := range cut {
		w.cut()
	}
	return len(cut)
}

// Stall holds whatever is on its way to or from the host until it is called with false. Nothing is lost.
func (h *Host) Stall(stalled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stalled = stalled
	h.stir()
}

// Slow adds a delay to whatever is on its way to or from the host.
func (h *Host) Slow(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.slow = by
}

// Watch has fn called whenever something that the host wrote has arrived; the host is cut at the first true.
func (h *Host) Watch(fn func() bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watch = fn
}

// wrote tells who watches.
func (h *Host) wrote() {
	h.mu.Lock()
	over := h.watch != nil && h.watch()
	if over {
		h.watch = nil
	}
	h.mu.Unlock()
	if over {
		h.Cut()
	}
}

// stir wakes what waits for a stall to end. The lock is held.
func (h *Host) stir() {
	close(h.moves)
	h.moves = make(chan struct{})
}

// pass waits until what is on its way may go on.
func (h *Host) pass() (delay time.Duration) {
	for {
		h.mu.Lock()
		stalled, cut, moves, slow := h.stalled, h.cut, h.moves, h.slow
		h.mu.Unlock()
		if !stalled || cut {
			return slow
		}
		<-moves
	}
}
