package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/projection"
	"github.com/quadrille-platform/quadrille/pkg/service"
)

// Rebuild of a read model, the last or the one that runs.
type Rebuild struct {
	Model     string           `json:"model"`
	ID        string           `json:"id" format:"uuid"`
	State     string           `json:"state" enum:"running,done,failed"`
	Phase     projection.Phase `json:"phase" enum:"clearing,filling,dropping,done,failed"`
	Done      int64            `json:"done" doc:"Orders or product events that were read"`
	Total     int64            `json:"total" doc:"About how many there are; 0 until the filling begins"`
	Rate      float64          `json:"rate" doc:"Done a second, on the average since it began"`
	Operator  string           `json:"operator" doc:"Who asked for it"`
	Error     string           `json:"error,omitempty" doc:"Why it failed; the model is served as before"`
	StartedAt time.Time        `json:"started_at"`
	UpdatedAt time.Time        `json:"updated_at"`
	EndedAt   *time.Time       `json:"ended_at,omitempty"`
}

func rebuildOf(s projection.Status) Rebuild {
	r := Rebuild{
		Model: s.Model, ID: s.Run, State: "running", Phase: s.Phase, Done: s.Done, Total: s.Total,
		Operator: s.Operator, Error: s.Error, StartedAt: s.StartedAt, UpdatedAt: s.UpdatedAt,
	}
	if took := s.UpdatedAt.Sub(s.StartedAt).Seconds(); took > 0 {
		r.Rate = float64(s.Done) / took
	}
	if s.Phase.Ended() {
		r.State, r.EndedAt = string(s.Phase), &s.UpdatedAt
	}
	return r
}

type rebuildModel struct {
	httpapi.Operated
	Body struct {
		Model string `json:"model" minLength:"1" maxLength:"64" example:"catalogue"`
	}
}

type rebuildBegun struct {
	Location string `header:"Location"`
	Body     Rebuild
}

// rebuild needs no Idempotency-Key: while one runs, another is a conflict.
func (a *Admin) rebuild(ctx context.Context, in *rebuildModel) (*rebuildBegun, error) {
	s, err := a.rebuilder.Start(ctx, in.Body.Model, string(in.Operator))
	if err != nil {
		return nil, a.rebuildProblem(err)
	}
	return &rebuildBegun{"/admin/v1/rebuilds/" + s.Model, rebuildOf(s)}, nil
}

type rebuildBody struct{ Body Rebuild }

func (a *Admin) getRebuild(ctx context.Context, in *struct {
	Model string `path:"model" maxLength:"64"`
}) (*rebuildBody, error) {
	s, err := a.rebuilder.Status(ctx, in.Model)
	if err != nil {
		return nil, a.rebuildProblem(err)
	}
	return &rebuildBody{rebuildOf(s)}, nil
}

func (a *Admin) rebuildProblem(err error) error {
	switch {
	case errors.Is(err, projection.ErrUnknown):
		models := strings.Join(a.rebuilder.Models(), ", ")
		return httpapi.NotFound("No read model has this name; there are " + models + ".")
	case errors.Is(err, projection.ErrNever):
		return httpapi.NotFound("This read model was never rebuilt.")
	case errors.Is(err, projection.ErrRunning):
		return httpapi.Conflict("A rebuild of this read model runs.")
	}
	return service.Problem(err)
}
