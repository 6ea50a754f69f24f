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

func TestWhatIsWaitedForIsSaidAtOnceThenNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newSaid(slog.New(slog.NewTextHandler(&log, nil)))
		for i := range 30 * 60 { // half an hour, asked every second
			s.waiting("database", fmt.Errorf("dial from port %d: refused", 40_000+i))
			time.Sleep(time.Second)
		}
		lines := strings.Count(log.String(), "\n")
		// At 0, 5, 15, 35 s, then each minute but for the first.
		if lines < 30 || lines > 35 {
			t.Errorf("%d lines in half an hour:\n%s", lines, log.String())
		}
		s.waiting("database", errors.New("no such database"))
		if !strings.Contains(log.String(), "no such database") {
			t.Error("another failure is not said at once")
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
