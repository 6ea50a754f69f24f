package sim

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

var (
	errCut     = errors.New("the network is cut")
	errRefused = errors.New("connection refused")
)

// Network connects hosts within a bubble of virtual time. What is written travels through a wire, which can be slow,
// stall, or be cut.
type Network struct {
	mu        sync.Mutex
	rng       *rand.Rand
	listeners map[string]*listener
	running   sync.WaitGroup
}

// NewNetwork returns a Network without hosts.
func NewNetwork(rng *rand.Rand) *Network {
	return &Network{rng: rng, listeners: make(map[string]*listener)}
}

// Host returns a new host.
func (n *Network) Host(name string) *Host {
	return &Host{network: n, name: name, wires: make(map[*wire]struct{}), moves: make(chan struct{})}
}

// Wait waits until every wire is gone.
func (n *Network) Wait() { n.running.Wait() }

func (n *Network) latency() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Duration(20+n.rng.IntN(180)) * time.Microsecond
}

type listener struct {
	host    *Host
	addr    *net.TCPAddr
	key     string
	arrived chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.arrived:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		n := l.host.network
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.listeners, l.key)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }
