package service

import (
	"context"
	"errors"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/failpoint"
	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/telemetry"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// Command is what an HTTP request asks for.
type Command[I any] struct {
	// Idempotency is the request's Idempotency-Key, empty if it had none.
	Idempotency httpapi.IdempotencyKey
	// Body is the decoded body: the same key with another body is refused.
	Body any
	// Key of the aggregate that the command changes or creates.
	Key string
	// Status that answers it.
	Status int
	// At is when it arrived; see Parts.Now.
	At    time.Time
	Input I
}

// Now is the time that a command carries.
func (p *Parts[I, S, E]) Now() time.Time { return event.Now(p.Config.Clock) }

// Do hands a command to the unit of work and returns once it is committed. A reused key, a full queue and an absent
// database come back as problems; a domain's refusal comes back as it is.
func (p *Parts[I, S, E]) Do(ctx context.Context, c Command[I]) (work.Receipt, error) {
	digest, err := httpapi.Digest(c.Body)
	if err != nil {
		return work.Receipt{}, err
	}
	minted := event.NewID()
	id := string(c.Idempotency)
	if id == "" {
		id = minted
	}
	receipt, err := p.Unit.Do(ctx, work.Message[I]{
		Scope: httpapi.Scope(ctx), ID: id, Key: c.Key, Digest: digest, Status: c.Status, At: c.At, Input: c.Input,
		Cause: event.Cause{ID: minted, Correlation: httpapi.Correlation(ctx), Trace: telemetry.Traceparent(ctx)},
	})
	failpoint.Hit(failpoint.CommandCommitted)
	return receipt, Problem(err)
}

// Problem returns the problem for what is nobody's fault in particular: a reused key; a full queue, a conflict that
// recurs, a database that is away or too slow, after which the same request may be sent again. Any other error it
// returns as it is.
func Problem(err error) error {
	switch {
	case errors.Is(err, work.ErrReused):
		return httpapi.Reused()
	case errors.Is(err, work.ErrBusy), errors.Is(err, work.ErrStopped), errors.Is(err, work.ErrConflict),
		errors.Is(err, context.DeadlineExceeded), sqldb.IsUnavailable(err):
		return httpapi.Unavailable(time.Second)
	}
	return err
}
