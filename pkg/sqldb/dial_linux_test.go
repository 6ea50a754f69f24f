package sqldb

import (
	"net"
	"syscall"
	"testing"
)

// TestAConnectionIsNotHeldByADeadHost reads back what the kernel was told.
func TestAConnectionIsNotHeldByADeadHost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ level, name, want int }{
		"unacknowledged, ms": {syscall.IPPROTO_TCP, tcpUserTimeout, 20_000},
		"keep-alive":         {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		"idle, s":            {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 10},
		"probes":             {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3},
	} {
		var got int
		var failed error
		if err := raw.Control(func(fd uintptr) {
			got, failed = syscall.GetsockoptInt(int(fd), option.level, option.name)
		}); err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		if got != option.want {
			t.Errorf("%s: %d, want %d", name, got, option.want)
		}
	}
}
