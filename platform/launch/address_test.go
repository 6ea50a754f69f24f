package launch_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
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

// TestFreeAddressesAreNoneOfAnotherProcess: two draw a thousand and more of some twenty thousand ports, so that a few
// dozen would be the same.
func TestFreeAddressesAreNoneOfAnotherProcess(t *testing.T) {
	const n, other = 1500, "QUADRILLE_TEST_OTHER_PROCESS"
	addrs, err := launch.FreeAddresses(n)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(other) != "" {
		fmt.Println(strings.Join(addrs, "\n"))
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), other+"=1")
	said, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	theirs := 0
	for _, addr := range strings.Fields(string(said)) {
		if slices.Contains(addrs, addr) {
			t.Errorf("both have %s", addr)
		}
		if strings.HasPrefix(addr, "127.0.0.1:") {
			theirs++
		}
	}
	if theirs != n {
		t.Errorf("the other process has %d", theirs)
	}
}
