package kafka_test

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/quadrille-platform/quadrille/pkg/kafka"
)

// both logs to two handlers.
type both struct {
	slog.Handler
	other slog.Handler
}

func (b both) WithAttrs([]slog.Attr) slog.Handler { return b }
func (b both) Handle(ctx context.Context, r slog.Record) error {
	_ = b.other.Handle(ctx, r)
	return b.Handler.Handle(ctx, r)
}

func TestErrTellsThatTheBrokerIsAway(t *testing.T) {
	data := kfake.DataDir(t.TempDir())
	cluster := startBroker(t, 1, data)
	_, port, err := net.SplitHostPort(cluster.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	newProducer(t, cluster)(0, "a", "a/0")
	s, away, back := newSink(), newLogged("does not answer"), newLogged("answers again")
	m := join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) { c.Logger = slog.New(both{away, back}) })
	awaitCommits(t, cluster, map[int32]int64{0: 1})
	if err := m.Err(); err != nil {
		t.Fatalf("Err while the broker is there = %v", err)
	}

	cluster.Close()
	<-away.seen
	wantError(t, m.Err(), group, "does not answer")

	cluster = startBroker(t, 1, data, kfake.Ports(number))
	<-back.seen
	newProducer(t, cluster)(0, "a", "a/1")
	s.await(t, 2)
	if err := m.Err(); err != nil {
		t.Errorf("Err after the broker came back = %v", err)
	}
}

// counted counts the lines with a text.
type counted struct {
	logged
	lines *atomic.Int32
}

func (c counted) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c counted) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, c.text) {
		c.lines.Add(1)
	}
	return c.logged.Handle(ctx, r)
}

func TestErrTellsThatTheGroupRefusesItsMember(t *testing.T) {
	cluster := startBroker(t, 1)
	log := counted{newLogged("session failed"), new(atomic.Int32)}
	refused := make(chan struct{})
	var refusals atomic.Int32
	var allowed atomic.Bool
	cluster.ControlKey(int16(kmsg.ConsumerGroupHeartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if allowed.Load() {
			return nil, nil, false
		}
		cluster.KeepControl()
		if refusals.Add(1) == 4 {
			close(refused)
		}
		resp := req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil, true
	})
	s := newSink()
	m := join(t, cluster, s.take, func(c *kafka.ConsumerConfig[string]) { c.Logger = slog.New(log) })
	<-log.seen
	<-refused
	wantError(t, m.Err(), group, "not joined", "GROUP_AUTHORIZATION_FAILED")
	if n := log.lines.Load(); n != 1 {
		t.Errorf("the same error was logged %d times", n)
	}
	allowed.Store(true)
	newProducer(t, cluster)(0, "a", "a/0")
	s.await(t, 1)
	if err := m.Err(); err != nil {
		t.Errorf("Err after the group let it in = %v", err)
	}
}
