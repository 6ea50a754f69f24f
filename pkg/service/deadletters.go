package service

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/serde"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// deadLetters are the operations on messages that could not be handled.
type deadLetters struct {
	letters *work.Letters
	viewer  *serde.Viewer
	now     func() time.Time
}

// register adds the operations to the admin API.
func (d *deadLetters) register(api huma.API) {
	const path = "/admin/v1/dead-letters"
	describe := func(id, method, path, summary string, more ...int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"Dead letters"},
			Errors: httpapi.Refusals(method, more...),
		}
	}
	huma.Register(api, describe("list-dead-letters", http.MethodGet, path, "List what could not be handled"), d.list)
	huma.Register(api, describe("open-dead-letter", http.MethodGet, path+"/{id}",
		"Open one: the record, what was done to it, what waits behind it", http.StatusNotFound), d.open)
	huma.Register(api, describe("redrive-dead-letter", http.MethodPost, path+"/{id}/redrive",
		"Have a dead one tried again", http.StatusNotFound, http.StatusConflict), d.redrive)
	huma.Register(api, describe("discard-dead-letter", http.MethodPost, path+"/{id}/discard",
		"Give one up, so that those behind it go on", http.StatusNotFound, http.StatusConflict), d.discard)
	huma.Register(api, describe("redrive-dead-letters", http.MethodPost, path+"/redrive",
		"Have many tried again, some a call", http.StatusConflict), d.redriveAll)
	huma.Register(api, describe("discard-dead-letters", http.MethodPost, path+"/discard",
		"Give many up, some a call", http.StatusConflict), d.discardAll)
}

type listDeadLetters struct {
	httpapi.Page
	State     work.LetterState `query:"state" enum:"parked,dead,discarded" doc:"Without it: parked and dead"`
	Topic     string           `query:"topic" minLength:"1" maxLength:"249" doc:"Or timer, or call"`
	Key       string           `query:"key" minLength:"1" maxLength:"255" doc:"Of the record: the order's id, or the sku"`
	Type      string           `query:"type" minLength:"1" maxLength:"255" doc:"Of the event, or its last part" example:"OrderPlaced"`
	Class     work.Class       `query:"class" minLength:"1" maxLength:"64" doc:"Of the failure" example:"undecodable"`
	OlderThan Age              `query:"older_than" minLength:"2" maxLength:"16" doc:"Since it first failed, or came to wait" example:"10m"`
}

type deadLetterList struct{ Body httpapi.List[DeadLetter] }

// letterPosition is where a page of letters, or a part of a sweep, has ended.
type letterPosition struct {
	ID int64 `json:"id"`
}

func (d *deadLetters) list(ctx context.Context, in *listDeadLetters) (*deadLetterList, error) {
	var after letterPosition
	if _, err := httpapi.DecodeCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := d.letters.List(ctx, work.LetterFilter{
		State: in.State, Scope: in.Topic, Key: in.Key, Type: in.Type, Class: in.Class,
		Before: in.OlderThan.before(d.now()),
	}, after.ID, in.Limit+1)
	if err != nil {
		return nil, letterProblem(err)
	}
	items := make([]DeadLetter, len(found))
	for i, letter := range found {
		items[i] = deadLetterOf(letter)
	}
	list, err := httpapi.NewList(items, in.Limit, func(l DeadLetter) letterPosition { return letterPosition{l.ID} })
	return &deadLetterList{list}, err
}

// LetterID is the path of one letter.
type LetterID struct {
	ID int64 `path:"id" minimum:"1" doc:"Of the letter, in this service"`
}

type openDeadLetter struct {
	LetterID
	Personal bool `query:"personal" doc:"Show personal data in the decoded record, its bytes and its other headers"`
}

type openedDeadLetter struct{ Body OpenedDeadLetter }

func (d *deadLetters) open(ctx context.Context, in *openDeadLetter) (*openedDeadLetter, error) {
	opened, err := d.letters.Open(ctx, in.ID)
	if err != nil {
		return nil, letterProblem(err)
	}
	return &openedDeadLetter{d.openedOf(ctx, opened, in.Personal)}, nil
}

type redriveDeadLetter struct {
	LetterID
	httpapi.Operated
	Body *struct {
		Reason string `json:"reason,omitempty" required:"false" maxLength:"1000"`
	}
}

type discardDeadLetter struct {
	LetterID
	httpapi.Operated
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"Why it may be given up"`
	}
}

type ruledDeadLetter struct{ Body DeadLetter }

func (d *deadLetters) redrive(ctx context.Context, in *redriveDeadLetter) (*ruledDeadLetter, error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	return d.ruled(ctx, in.ID, d.letters.Redrive(ctx, in.ID, string(in.Operator), reason))
}

func (d *deadLetters) discard(ctx context.Context, in *discardDeadLetter) (*ruledDeadLetter, error) {
	return d.ruled(ctx, in.ID, d.letters.Discard(ctx, in.ID, string(in.Operator), in.Body.Reason))
}

// ruled shows a letter as it stands after a ruling. One that was redriven may have been handled already: it is shown as
// done.
func (d *deadLetters) ruled(ctx context.Context, id int64, err error) (*ruledDeadLetter, error) {
	if err != nil {
		return nil, letterProblem(err)
	}
	opened, err := d.letters.Open(ctx, id)
	switch {
	case errors.Is(err, work.ErrNoLetter):
		return &ruledDeadLetter{DeadLetter{ID: id, State: "done"}}, nil
	case err != nil:
		return nil, httpapi.DoneUnread(err)
	}
	return &ruledDeadLetter{deadLetterOf(opened.Letter)}, nil
}

// letterProblem says what became of a letter, and hides what is not the caller's concern.
func letterProblem(err error) error {
	switch {
	case errors.Is(err, work.ErrNoLetter):
		return httpapi.NotFound("No letter has this id: it never was, or its message has been handled.")
	case errors.Is(err, work.ErrNotHead):
		return httpapi.Conflict("It waits behind an earlier letter of its topic and key, which comes first.")
	case errors.Is(err, work.ErrMoved):
		return httpapi.Conflict("It is not in a state that allows it, or has just left it: only a dead one can be " +
			"redriven, only a parked or dead one discarded.")
	}
	return Problem(err)
}

// Age is a duration as Go writes it, such as "90s" or "24h"; empty is none.
type Age string

var _ huma.ResolverWithPath = (*Age)(nil)

// Resolve refuses what is no duration, or a negative one.
func (a *Age) Resolve(_ huma.Context, path *huma.PathBuffer) []error {
	if *a == "" {
		return nil
	}
	if d, err := time.ParseDuration(string(*a)); err != nil || d < 0 {
		return []error{httpapi.At(path, httpapi.FieldFormat, "must be a duration such as 10m")}
	}
	return nil
}

// before returns the instant that lies so far back, the zero time if there is none.
func (a Age) before(now time.Time) time.Time {
	d, err := time.ParseDuration(string(a))
	if err != nil { // Resolve lets only the empty one through
		return time.Time{}
	}
	return now.Add(-d)
}
