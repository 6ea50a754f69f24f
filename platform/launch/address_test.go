package launch_test

import (
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/quadrille-platform/quadrille/platform/launch"
)

func TestFreeAddressesAreNoneOfOutgoingConnections(t *testing.T) {
	const n = 100
	addrs, err := launch.FreeAddresses(n)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(addrs)
	if got := len(slices.Compact(addrs)); got != n {
		t.Errorf("%d of %d differ", got, n)
	}
	for _, addr := range addrs {
		host, text, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		if port, err := strconv.Atoi(text); err != nil || host != "127.0.0.1" || port < 1024 || port >= 32_768 {
			t.Errorf("%s may be taken by an outgoing connection", addr)
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Errorf("it is not free: %v", err)
			continue
		}
		defer l.Close()
	}
}
