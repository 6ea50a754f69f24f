package forward

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
)

// replica answers each connection with its name and what it heard.
func replica(t *testing.T, name string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			heard, _ := io.ReadAll(conn) // until the other side has said all
			fmt.Fprintf(conn, "%s heard %s", name, heard)
			_ = conn.Close()
		}
	}()
	return l
}

// open forwards to the replicas, which share a port on addresses of their own, and returns where.
func open(t *testing.T, to string, addresses ...string) (addr string, d *door) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d = newDoor(l, to)
	d.addresses = func(context.Context, string) ([]string, error) { return addresses, nil }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), d
}

// say returns the answer to a connection's one word.
func say(t *testing.T, addr, word string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, word); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	heard, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		t.Logf("the answer ends with %v", err)
	}
	return string(heard)
}

func TestBothSidesSayAllTheyHaveToSay(t *testing.T) {
	r := replica(t, "one")
	addr, _ := open(t, r.Addr().String(), "127.0.0.1")
	if got := say(t, addr, "hello"); got != "one heard hello" {
		t.Errorf("answered %q", got)
	}
}

func TestAReplicaThatIsGoneIsPassedOver(t *testing.T) {
	r := replica(t, "one")
	// On 127.0.0.9 nobody listens.
	addr, _ := open(t, r.Addr().String(), "127.0.0.9", "127.0.0.1")
	for range 4 {
		if got := say(t, addr, "hello"); got != "one heard hello" {
			t.Errorf("answered %q", got)
		}
	}
}

func TestReplicasTakeTurns(t *testing.T) {
	first := replica(t, "one")
	_, port, err := net.SplitHostPort(first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	second, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	go func() {
		for {
			conn, err := second.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadAll(conn)
			_, _ = io.WriteString(conn, "two")
			_ = conn.Close()
		}
	}()
	addr, _ := open(t, "replicas:"+port, "127.0.0.1", "127.0.0.2")
	var heard []string
	for range 4 {
		heard = append(heard, say(t, addr, "x"))
	}
	slices.Sort(heard)
	if heard[0] != "one heard x" || heard[1] != "one heard x" || heard[2] != "two" || heard[3] != "two" {
		t.Errorf("heard %q", heard)
	}
}

func TestTheEndCutsOffWhatIsOpen(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newDoor(l, silent.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := silent.Accept(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := bufio.NewReader(conn).ReadByte(); err == nil {
		t.Error("the connection is still open")
	}
}

func TestARouteIsReadFromText(t *testing.T) {
	for text, want := range map[string]Route{
		"8081=order:8081":           {":8081", "order:8081"},
		"127.0.0.1:1=[::1]:2":       {"127.0.0.1:1", "[::1]:2"},
		"8081":                      {},
		"=order:8081":               {},
		"8081=order":                {},
		"8081=order:":               {},
		"":                          {},
		"127.0.0.1:8081=order:8081": {"127.0.0.1:8081", "order:8081"},
	} {
		var got Route
		if err := got.UnmarshalText([]byte(text)); got != want || (err == nil) != (want != Route{}) {
			t.Errorf("%q is %+v (%v), want %+v", text, got, err, want)
		}
	}
}
