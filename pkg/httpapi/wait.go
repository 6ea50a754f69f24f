package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// MaxWait is the longest that a request may ask to be held.
const MaxWait = 30 * time.Second

// workTime is how long a request may be worked on, beside what it asks to be held. It is above what a command waits for
// its transaction, and together with MaxWait below the time within which an answer must be written.
const workTime = 20 * time.Second

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
// begins to drain or holds too many requests already; the handler then answers with what it has. While it waits it is
// none of the requests that are worked on.
func (w Wait) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	release, ok := requestOf(ctx).turn.hold()
	if !ok {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		return ended, cancel
	}
	waiting, stop := context.WithTimeout(ctx, w.Duration())
	cancel := func() { stop(); release() }
	draining, ok := ctx.Value(drainKey{}).(context.Context)
	if !ok {
		return waiting, cancel
	}
	forget := context.AfterFunc(draining, stop)
	return waiting, func() { forget(); cancel() }
}

// timeFor is how long a request may take.
func timeFor(r *http.Request) time.Duration {
	if strings.Contains(r.URL.RawQuery, "wait=") {
		return workTime + MaxWait
	}
	return workTime
}
