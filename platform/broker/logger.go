package broker

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

var _ kfake.Logger = logger{}

// logger hands kfake's lines to slog. What kfake calls informational is one line a request, so it counts as debug here.
type logger struct{ to *slog.Logger }

func (l logger) Logf(level kfake.LogLevel, format string, args ...any) {
	ctx := context.Background() // kfake's lines belong to no request of ours
	severity := slog.LevelDebug
	switch level {
	case kfake.LogLevelNone:
		return
	case kfake.LogLevelError:
		severity = slog.LevelError
	case kfake.LogLevelWarn:
		severity = slog.LevelWarn
	}
	if !l.to.Enabled(ctx, severity) {
		return // before the cost of formatting, which would be paid for each request
	}

	var caller [1]uintptr
	runtime.Callers(2, caller[:])
	record := slog.NewRecord(time.Now(), severity, fmt.Sprintf(format, args...), caller[0])
	record.AddAttrs(slog.String("component", name))
	// A log line that cannot be written has nowhere to be reported.
	_ = l.to.Handler().Handle(ctx, record)
}
