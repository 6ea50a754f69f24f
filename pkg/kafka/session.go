package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var (
	_ kgo.HookBrokerConnect = (*session)(nil)
	_ kgo.HookBrokerE2E     = (*session)(nil)
)

// session knows whether the group's coordinator answers. The client keeps its epoch while the brokers are away, and
// tells of failing heartbeats only after minutes of retries, so its connections are watched as well.
type session struct {
	group   string
	brokers []string
	log     *slog.Logger

	mu          sync.Mutex
	known       bool // coordinator is the broker that answered the last heartbeat
	coordinator int32
	away        error  // why the last heartbeat had no answer, nil if it had
	failed      error  // what the client told last, nil once records came
	answers     bool   // a heartbeat was answered since failed was told
	told        string // what was logged of failed
}

func newSession(group string, brokers []string, log *slog.Logger) *session {
	return &session{group: group, brokers: brokers, log: log}
}

// err is nil while heartbeats are answered to a member that has joined. A member that lost its session is none until it
// has joined again: what it was told before is over then.
func (s *session) err(joined bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var away, failed error
	if s.away != nil {
		away = fmt.Errorf("consumer group %s: coordinator does not answer: %w", s.group, s.away)
	}
	if s.failed != nil && (!joined || !s.answers) {
		failed = fmt.Errorf("consumer group %s: %w", s.group, s.failed)
	}
	return errors.Join(away, failed)
}

// OnBrokerConnect implements [kgo.HookBrokerConnect].
func (s *session) OnBrokerConnect(broker kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	s.mu.Lock()
	ours := s.known && s.coordinator == broker.NodeID
	s.mu.Unlock()
	if ours && err != nil {
		s.silent(err)
	}
}

// OnBrokerE2E implements [kgo.HookBrokerE2E].
func (s *session) OnBrokerE2E(broker kgo.BrokerMetadata, key int16, e2e kgo.BrokerE2E) {
	switch err := e2e.Err(); {
	case kmsg.Key(key) != kmsg.ConsumerGroupHeartbeat:
	case err != nil:
		s.silent(err)
	default:
		s.answered(broker.NodeID)
	}
}

// silent notes that the coordinator is away.
func (s *session) silent(err error) {
	if ending(err) {
		return
	}
	err = explainLoss(s.brokers, err)
	s.mu.Lock()
	first := s.away == nil
	s.away = err
	s.mu.Unlock()
	if first {
		s.log.Error("consumer group's coordinator does not answer", "group", s.group, "error", err)
	}
}

// answered notes that a heartbeat came back, whatever it says: a refusal ends the session and is told by a poll.
func (s *session) answered(coordinator int32) {
	s.mu.Lock()
	back := s.away != nil
	s.known, s.coordinator, s.away, s.answers = true, coordinator, nil, true
	s.mu.Unlock()
	if back {
		s.log.Info("consumer group's coordinator answers again", "group", s.group)
	}
}

// fail notes an error that a poll returned for no partition.
func (s *session) fail(err error) {
	if err == nil || ending(err) {
		return
	}
	err = explainLoss(s.brokers, err)
	s.mu.Lock()
	s.failed, s.answers = err, false
	changed := s.told != err.Error()
	s.told = err.Error()
	s.mu.Unlock()
	if changed {
		s.log.Error("consumer group's session failed", "group", s.group, "error", err)
	}
}

// read notes that records came.
func (s *session) read() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed, s.told = nil, ""
}

// ending reports whether err only says that somebody wanted an end.
func ending(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed)
}
