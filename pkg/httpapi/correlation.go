package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

// CorrelationHeader carries the id under which everything that one request leads to can be found: in events, logs and
// the answers of this platform. A caller may choose it, as a UUID; without it, or if it is none, one is minted. The
// answer carries it either way. It is a label, not a key: nothing is recognised by it, so a reused one does no harm.
const CorrelationHeader = "X-Correlation-Id"

type requestKey struct{}

// request is what the edge knows of the request in work.
type request struct {
	correlation string
	scope       string
	logger      *slog.Logger
	turn        *turn
}

// requestOf never returns a nil logger or turn, so that code works outside a request too.
func requestOf(ctx context.Context) request {
	if known, ok := ctx.Value(requestKey{}).(request); ok {
		return known
	}
	return request{logger: slog.Default(), turn: new(turn)}
}

// Correlation returns the correlation id of the request in work, empty outside of one.
func Correlation(ctx context.Context) string { return requestOf(ctx).correlation }

// Scope returns method and path of the request in work, such as "POST /v1/orders", in which an Idempotency-Key is
// unique. It is empty outside of a request.
func Scope(ctx context.Context) string { return requestOf(ctx).scope }

// correlate puts what the edge knows of a request into its context, which ends when the request has taken too long.
func correlate(logger *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			known := request{
				correlation: correlationOf(r.Header.Get(CorrelationHeader)),
				scope:       r.Method + " " + r.URL.Path,
				turn:        new(turn),
			}
			known.logger = logger.With("correlation_id", known.correlation, "method", r.Method, "path", r.URL.Path)
			w.Header().Set(CorrelationHeader, known.correlation)
			ctx, cancel := context.WithTimeout(r.Context(), timeFor(r))
			defer cancel()
			next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestKey{}, known)))
		})
	}
}

// correlationOf returns a well-formed id as it came, in lower case, or a new one.
func correlationOf(sent string) string {
	const hyphenated = 36 // uuid.Parse takes other forms too
	if id, err := uuid.Parse(sent); err == nil && len(sent) == hyphenated && id != uuid.Nil {
		return strings.ToLower(sent)
	}
	return uuid.Must(uuid.NewV7()).String()
}
