package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// sweepIn is the body that asks for many letters at once.
type sweepIn struct {
	Filter sweepFilter `json:"filter" doc:"Which letters"`
	Limit  int         `json:"limit,omitempty" required:"false" minimum:"1" maximum:"500" default:"100" doc:"How many at most"`
	Cursor string      `json:"cursor,omitempty" required:"false" maxLength:"1024" doc:"The next_cursor of the call before"`
	DryRun bool        `json:"dry_run,omitempty" required:"false" doc:"Move none, only count"`
	Reason string      `json:"reason,omitempty" required:"false" maxLength:"1000"`
}

type sweepFilter struct {
	State     work.LetterState `json:"state,omitempty" required:"false" enum:"parked,dead"`
	Topic     string           `json:"topic,omitempty" required:"false" maxLength:"249"`
	Key       string           `json:"key,omitempty" required:"false" maxLength:"255"`
	Type      string           `json:"type,omitempty" required:"false" maxLength:"255"`
	Class     work.Class       `json:"class,omitempty" required:"false" maxLength:"64"`
	OlderThan Age              `json:"older_than,omitempty" required:"false" maxLength:"16" example:"10m"`
}

type sweepDeadLetters struct {
	httpapi.Operated
	Body sweepIn
}

type sweptDeadLetters struct {
	Body struct {
		Moved      int64  `json:"moved" doc:"How many letters were moved"`
		Left       int64  `json:"left" doc:"How many still fit the filter, some of them behind others; counted up to 100,001"`
		NextCursor string `json:"next_cursor,omitempty" doc:"Go on with it; absent when there is nothing more to move"`
	}
}

type sweep func(ctx context.Context, f work.LetterFilter, after int64, limit int, operator, reason string) (work.Sweep,
	error)

func (d *deadLetters) redriveAll(ctx context.Context, in *sweepDeadLetters) (*sweptDeadLetters, error) {
	return d.sweep(ctx, in, d.letters.RedriveAll)
}

func (d *deadLetters) discardAll(ctx context.Context, in *sweepDeadLetters) (*sweptDeadLetters, error) {
	if in.Body.Reason == "" && !in.Body.DryRun {
		return nil, httpapi.Invalid("reason", httpapi.FieldRequired, "")
	}
	return d.sweep(ctx, in, d.letters.DiscardAll)
}

func (d *deadLetters) sweep(ctx context.Context, in *sweepDeadLetters, sweep sweep) (*sweptDeadLetters, error) {
	var after letterPosition
	if _, err := httpapi.DecodeCursor(in.Body.Cursor, &after); err != nil {
		return nil, err
	}
	limit := in.Body.Limit
	if in.Body.DryRun {
		limit = 0
	}
	f := in.Body.Filter
	swept, err := sweep(ctx, work.LetterFilter{
		State: f.State, Scope: f.Topic, Key: f.Key, Type: f.Type, Class: f.Class, Before: f.OlderThan.before(d.now()),
	}, after.ID, limit, string(in.Operator), in.Body.Reason)
	if errors.Is(err, work.ErrConflict) {
		err = fmt.Errorf("%w: %w", work.ErrMoved, err)
	}
	if err != nil {
		return nil, letterProblem(err)
	}
	out := &sweptDeadLetters{}
	out.Body.Moved, out.Body.Left = swept.Moved, swept.Left
	if limit > 0 && swept.Moved == int64(limit) {
		out.Body.NextCursor, err = httpapi.EncodeCursor(letterPosition{swept.Last})
	}
	return out, err
}
