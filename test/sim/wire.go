package sim

import (
	"net"
	"sync"
	"time"
)

// chunk is the most bytes that travel at a time.
const chunk = 16 << 10

// wire carries what is written at one end of a connection to the other.
type wire struct {
	network *Network
	hosts   [2]*Host
	ends    [2]net.Conn
	once    sync.Once
}

// join makes the wire known to its hosts, unless one of them is cut.
func (w *wire) join() bool {
	for _, h := range w.hosts {
		h.mu.Lock()
		cut := h.cut
		if !cut {
			h.wires[w] = struct{}{}
		}
		h.mu.Unlock()
		if cut {
			w.cut()
			return false
		}
	}
	return true
}

func (w *wire) run() {
	for i := range w.ends {
		w.network.running.Go(func() {
			defer w.cut()
			w.carry(w.ends[i], w.ends[1-i], w.hosts[i])
		})
	}
}

func (w *wire) carry(from, to net.Conn, writer *Host) {
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			time.Sleep(w.network.latency() + w.hosts[0].pass() + w.hosts[1].pass())
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
			writer.wrote()
		}
		if err != nil {
			return
		}
	}
}

// cut ends the connection at both ends; what is on its way is lost.
func (w *wire) cut() {
	w.once.Do(func() {
		for i := range w.ends {
			_ = w.ends[i].Close()
		}
		for _, h := range w.hosts {
			h.mu.Lock()
			delete(h.wires, w)
			h.mu.Unlock()
		}
	})
}
