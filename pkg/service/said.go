package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/telemetry"
)

// said knows what was logged of something that is waited for.
type said struct {
	log     *slog.Logger
	began   time.Time
	repeats telemetry.Repeats
}

func newSaid(log *slog.Logger) *said { return &said{log: log, began: time.Now()} }

// waiting logs why something is waited for, unless it has just done so.
func (s *said) waiting(what string, err error) {
	if !s.repeats.Due(err.Error()) {
		return
	}
	level := slog.LevelWarn
	if refused(err) {
		level = slog.LevelError
	}
	s.log.Log(context.Background(), level, "waiting for "+what, "error", err, "since", s.began.UTC())
}
