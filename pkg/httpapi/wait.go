package httpapi

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// MaxWait is the longest that a request may ask to be held.
const MaxWait = 30 * time.Second

// LongPoll is embedded in the input of every operation that can wait for a change.
type LongPoll struct {
	Wait Wait `query:"wait" minLength:"1" maxLength:"16" example:"5s" doc:"How long to wait for a change, 0s to 30s"`
}

// Wait is a duration as Go writes it, such as "5s" or "1500ms"; empty is none.
type Wait string

var _ huma.ResolverWithPath = (*Wait)(nil)

// Resolve refuses what is no duration, or one out of range.
func (w *Wait) Resolve(_ huma.Context, path *huma.PathBuffer) []error {
	if *w == "" {
		return nil
	}
	d, err := time.ParseDuration(string(*w))
	switch {
	case err != nil:
		return []error{At(path, FieldFormat, "must be a duration such as 5s")}
	case d < 0:
		return []error{At(path, FieldSmall, "must be at least 0s")}
	case d > MaxWait:
		return []error{At(path, FieldLarge, "must be at most "+MaxWait.String())}
	}
	return nil
}

// Duration returns the time to wait, 0 if none was asked for.
func (w Wait) Duration() time.Duration {
	d, err := time.ParseDuration(string(w))
	if err != nil { // Resolve lets only the empty one through
		return 0
	}
	return d
}

// Context returns a context for the waiting alone. It ends when the time is over, the caller is gone, or the server
// begins to drain; the handler then answers with what it has.
func (w Wait) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	waiting, cancel := context.WithTimeout(ctx, w.Duration())
	draining, ok := ctx.Value(drainKey{}).(context.Context)
	if !ok {
		return waiting, cancel
	}
	stop := context.AfterFunc(draining, cancel)
	return waiting, func() { stop(); cancel() }
}
