package launch

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports that FreeAddresses tries: those below the range from which the system gives outgoing connections theirs (32768
// and up on Linux, 49152 and up elsewhere). A port of that range may be gone before what it was found for listens.
const (
	firstPort = 10_000
	lastPort  = 32_000
	tries     = 1000 // of ports, for each address
)

// FreeAddresses returns n different addresses on 127.0.0.1 whose ports are free now.
func FreeAddresses(n int) ([]string, error) {
	addrs := make([]string, 0, n)
	for range n {
		l, err := free()
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() // held until all are there, so that none comes twice
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

func free() (l net.Listener, err error) {
	for range tries {
		port := strconv.Itoa(firstPort + rand.IntN(lastPort-firstPort))
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)); err == nil {
			return l, nil
		}
	}
	return nil, err
}
