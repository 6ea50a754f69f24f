package work_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/sqldb/sqltest"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// cut says where a proxy breaks the connection of the next COMMIT.
type cut int32

const (
	nowhere cut = iota
	beforeCommit
	afterCommit
)

// proxy stands before PostgreSQL and knows a COMMIT by its text, which the simple protocol shows.
type proxy struct {
	listener net.Listener
	server   string
	next     atomic.Int32
	cuts     atomic.Int32
	conns    sync.WaitGroup
}

// behindProxy returns the database at address behind a proxy that is closed when the test ends.
func behindProxy(t testing.TB, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, server: u.Host}
	p.conns.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.conns.Wait()
	})
	u.Host = listener.Addr().String()
	query := u.Query()
	query.Set("default_query_exec_mode", "exec")
	u.RawQuery = query.Encode()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			return
		}
		p.conns.Go(func() { p.forward(client, server) })
	}
}

// forward carries one connection until either side or a cut ends it. Requests and answers alternate, so after a COMMIT
// the next bytes from the server are its answer.
func (p *proxy) forward(client, server net.Conn) {
	var swallow atomic.Bool
	var answers sync.WaitGroup
	answers.Go(func() {
		defer func() { _ = client.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil || swallow.Load() {
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
	defer answers.Wait()
	defer func() { _ = server.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
			switch cut(p.next.Swap(int32(nowhere))) {
			case beforeCommit:
				p.cuts.Add(1)
				_ = client.Close()
				return
			case afterCommit:
				p.cuts.Add(1)
				swallow.Store(true)
				_, _ = server.Write(buffer[:n])
				answers.Wait() // the answer is here: the transaction is committed
				return
			}
		}
		if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err != nil {
			return
		}
	}
}

// TestACommitWhoseAnswerIsLostIsDoneOnce cuts the connection at a commit: the caller cannot know what became of it.
func TestACommitWhoseAnswerIsLostIsDoneOnce(t *testing.T) {
	rerun := func(t *testing.T, f *fixture, db *sqldb.DB, m work.Message[input]) work.Receipt {
		for {
			err := naively(t.Context(), db, f.toy, []work.Message[input]{m})
			if err == nil {
				return work.Receipt{Key: m.Key, Status: m.Status}
			}
			if !sqldb.IsUnavailable(err) {
				t.Fatal(err)
			}
		}
	}
	do := func(t *testing.T, f *fixture, _ *sqldb.DB, m work.Message[input]) work.Receipt {
		receipt, err := f.Do(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return receipt
	}
	for _, tc := range []struct {
		name string
		cut  cut
		do   func(*testing.T, *fixture, *sqldb.DB, work.Message[input]) work.Receipt
		want int64
		// repeated: the receipt is that of the attempt whose answer was lost
		repeated bool
	}{
		{"naive rerun after a commit that was done", afterCommit, rerun, 2, false},
		{"naive rerun after a commit that was not done", beforeCommit, rerun, 1, false},
		{"unit after a commit that was done", afterCommit, do, 1, true},
		{"unit after a commit that was not done", beforeCommit, do, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address := sqltest.PostgresURL(t)
			direct := sqltest.Open(t, address)
			migrateToy(t, direct)
			p, proxied := behindProxy(t, address)
			db := sqltest.Open(t, proxied, sqldb.WithConnections(2))
			f := newFixture(t, db, newToy(), work.Config{})
			f.start(t)

			p.next.Store(int32(tc.cut))
			receipt := tc.do(t, f, db, command("k", add{"a", 1}))
			if want := (work.Receipt{Key: "a", Status: 202, Repeated: tc.repeated}); receipt != want {
				t.Errorf("receipt %+v, want %+v", receipt, want)
			}
			if p.cuts.Load() != 1 {
				t.Error("the connection was not cut: the test tested nothing")
			}
			if got := totals(t, direct)["a"]; got != tc.want {
				t.Errorf("G2: total %d, want %d", got, tc.want)
			}
			if tc.repeated && len(published(t, direct)) != 1 {
				t.Errorf("G1: published %v, want one event", published(t, direct))
			}
		})
	}
}

// TestAnEventBatchWhoseCommitAnswerIsLostIsDoneOnce: the inbox knows all of it, what was refused included.
func TestAnEventBatchWhoseCommitAnswerIsLostIsDoneOnce(t *testing.T) {
	address := sqltest.PostgresURL(t)
	p, proxied := behindProxy(t, address)
	db := sqltest.Open(t, proxied)
	f := running(t, db)
	p.next.Store(int32(afterCommit))
	refused := f.take(t, consumed("1", add{"a", 1}), consumed("2", reject{"b"}), consumed("3", add{"b", 1}))
	if len(refused) != 0 {
		t.Errorf("G2: refused %v, although the first run has set it aside", refused)
	}
	if diff := cmp.Diff([]string{"2 dead refused 1", "3 parked behind 0"}, letters(t, db)); diff != "" {
		t.Error("letters (-want +got):\n" + diff)
	}
	if got := totals(t, db); got["a"] != 1 || len(got) != 1 || p.cuts.Load() != 1 {
		t.Errorf("totals %v after %d cuts", got, p.cuts.Load())
	}
}
