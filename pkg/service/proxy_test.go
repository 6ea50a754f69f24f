package service_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands between a service and its database, and can take it away.
type proxy struct {
	target   string
	listener net.Listener

	mu    sync.Mutex
	open  map[net.Conn]bool
	state proxyState
	moved *sync.Cond
	pipes sync.WaitGroup
}

type proxyState int

const (
	passing proxyState = iota
	cut                // connections break and are refused
	hanging            // nothing arrives and nothing is answered
)

// through returns a database's url that leads through a proxy, and the proxy.
func through(t *testing.T, database string) (string, *proxy) {
	t.Helper()
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: address.Host, open: make(map[net.Conn]bool)}
	p.moved = sync.NewCond(&p.mu)
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.pipes.Go(p.accept)
	t.Cleanup(func() {
		_ = p.listener.Close()
		p.turn(cut)
		p.pipes.Wait()
	})
	address.Host = p.listener.Addr().String()
	return address.String(), p
}

// turn has the database away or back.
func (p *proxy) turn(to proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = to
	if to == cut {
		for conn := range p.open {
			_ = conn.Close()
		}
	}
	p.moved.Broadcast()
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		if !p.keep(conn) {
			continue
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(server) {
			_ = conn.Close()
			continue
		}
		p.pipes.Go(func() { p.pass(conn, server) })
		p.pipes.Go(func() { p.pass(server, conn) })
	}
}

// keep closes a connection that comes while there is none.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == cut {
		_ = conn.Close()
		return false
	}
	p.open[conn] = true
	return true
}

// pass copies what it reads, unless it hangs.
func (p *proxy) pass(from, to net.Conn) {
	defer func() {
		_, _ = from.Close(), to.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.open, from)
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		for p.state == hanging {
			p.moved.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
