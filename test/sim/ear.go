package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// ear hears what the services log: it counts what must be said sometimes, and writes the rest into the history.
type ear struct {
	world *World
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (e *ear) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (e *ear) Handle(_ context.Context, r slog.Record) error {
	if said := heard()[r.Message]; said != "" {
		e.world.hit(said)
	}
	if e.world.out == nil {
		return nil
	}
	var b strings.Builder
	b.WriteString(r.Message)
	write := func(a slog.Attr) bool {
		if a.Key != "service" && a.Key != "stack" {
			fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		}
		return true
	}
	for _, a := range e.attrs {
		write(a)
	}
	r.Attrs(write)
	e.world.log("  %s", b.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (e *ear) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &ear{e.world, append(append([]slog.Attr{}, e.attrs...), attrs...)}
}

// WithGroup implements slog.Handler.
func (e *ear) WithGroup(string) slog.Handler { return e }
