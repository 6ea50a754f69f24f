package service

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

const (
	// sayAgain is how long after a line of the log it is repeated first; each next pause is twice as long.
	sayAgain = 5 * time.Second
	// sayAgainMax is the longest of these pauses.
	sayAgainMax = time.Minute
)

// said knows what was last logged of something that is waited for, so that the log neither falls silent nor fills.
type said struct {
	log   *slog.Logger
	began time.Time
	last  string
	at    time.Time
	pause time.Duration
}

func newSaid(log *slog.Logger) *said { return &said{log: log, began: time.Now()} }

// waiting logs why something is waited for, unless it has just done so.
func (s *said) waiting(what string, err error) {
	now, text := time.Now(), withoutDigits(err.Error())
	switch {
	case text != s.last:
		s.pause = sayAgain
	case now.Sub(s.at) < s.pause:
		return
	default:
		s.pause = min(2*s.pause, sayAgainMax)
	}
	s.last, s.at = text, now
	level := slog.LevelWarn
	if refused(err) {
		level = slog.LevelError
	}
	s.log.Log(context.Background(), level, "waiting for "+what, "error", err, "since", s.began.UTC())
}

// withoutDigits is what tells one failure from another: ports, ids and times do not.
func withoutDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text)
}
