package serve

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestABusyPortIsNamedWithItsWantAndItsCure(t *testing.T) {
	taken, err := Listen("127.0.0.1:0", "schema registry")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, err := net.SplitHostPort(taken.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	_, err = Listen(taken.Addr().String(), "payment gateway")
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("error %v, want EADDRINUSE", err)
	}
	for _, part := range []string{"port " + port, "payment gateway", "another address"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}
