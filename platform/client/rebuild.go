package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

const rebuilds = "/admin/v1/rebuilds"

// Rebuild of a read model of the order service.
type Rebuild struct {
	Model     string     `json:"model"`
	ID        string     `json:"id"`
	State     string     `json:"state"` // running, done or failed
	Phase     string     `json:"phase"` // clearing, filling, dropping, done or failed
	Done      int64      `json:"done"`
	Total     int64      `json:"total"` // an estimate, 0 until the filling begins
	Rate      float64    `json:"rate"`  // done a second
	Operator  string     `json:"operator"`
	Error     string     `json:"error,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
}

// StartRebuild has a read model made anew, in the name of operator.
func (c *Client) StartRebuild(ctx context.Context, model, operator string) (Rebuild, error) {
	var r Rebuild
	_, err := c.by(operator).Call(ctx, http.MethodPost, "http://"+c.Admin["order"]+rebuilds,
		map[string]string{"model": model}, &r)
	return r, err
}

// Rebuild returns the last rebuild of a read model.
func (c *Client) Rebuild(ctx context.Context, model string) (Rebuild, error) {
	return get[Rebuild](ctx, c, c.Admin["order"], rebuilds+"/"+url.PathEscape(model))
}
