package launch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// Ports that FreeAddresses tries: those below the range from which the system gives outgoing connections theirs (32768
// and up on Linux, 49152 and up elsewhere). A port of that range may be gone before what it was found for listens.
const (
	firstPort = 10_000
	lastPort  = 32_000
	tries     = 1000 // of ports, for each address
)

// FreeAddresses returns n different addresses on 127.0.0.1 whose ports are free now, and which no process of this user
// that asks here gets as long as this one runs: between finding a port and listening there is time to lose it.
func FreeAddresses(n int) ([]string, error) {
	addrs := make([]string, 0, n)
	for range n {
		addr, err := free()
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

func free() (addr string, err error) {
	for range tries {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if !claim(port) {
			err = errors.New("all are promised to others")
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", err
}

// claimed are the ports of this process. Each is a lock on a byte of one file, which goes with the process.
var claimed = struct {
	mu    sync.Mutex
	file  *os.File
	ports map[int]bool
}{ports: make(map[int]bool)}

// claim reports whether a port is this process's from now on. Where the file or its locks are not to be had, it keeps
// apart what is of this process alone.
func claim(port int) bool {
	c := &claimed
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ports[port] {
		return false
	}
	if c.file == nil {
		name := filepath.Join(os.TempDir(), fmt.Sprintf("quadrille-ports-%d", os.Getuid()))
		c.file, _ = os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	}
	if c.file != nil {
		lock := syscall.Flock_t{Type: syscall.F_WRLCK, Start: int64(port), Len: 1}
		err := syscall.FcntlFlock(c.file.Fd(), syscall.F_SETLK, &lock)
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
			return false
		}
	}
	c.ports[port] = true
	return true
}
