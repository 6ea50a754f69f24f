package service

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestWhatIsWaitedForIsSaidOnceOfTwoFailuresThatAlternate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newSaid(slog.New(slog.NewTextHandler(&log, nil)))
		for i := range 4 {
			s.waiting("database", errors.New("refused"))
			s.waiting("database", fmt.Errorf("dial from port %d: no answer", 40_000+i))
			time.Sleep(time.Second)
		}
		if lines := strings.Count(log.String(), "waiting for database"); lines != 2 {
			t.Errorf("%d lines:\n%s", lines, log.String())
		}
	})
}

func TestWhatWaitingDoesNotCureIsAnError(t *testing.T) {
	for level, err := range map[string]error{
		"WARN": errors.New("connection refused"), "ERROR": fmt.Errorf("ask: %w", kerr.SaslAuthenticationFailed),
	} {
		var log strings.Builder
		newSaid(slog.New(slog.NewTextHandler(&log, nil))).waiting("topics", err)
		if !strings.Contains(log.String(), "level="+level) {
			t.Errorf("%v is said as %s, want %s", err, log.String(), level)
		}
	}
}
