package client

import (
	"context"
	"time"
)

// Saga is an order whose present status waits for other services.
type Saga struct {
	OrderID    string    `json:"order_id"`
	Status     string    `json:"status"`
	Reason     string    `json:"reason,omitempty"`
	WaitingFor []string  `json:"waiting_for"` // the events that have not come
	Steps      []Step    `json:"steps"`
	Since      time.Time `json:"since"`
	Stuck      bool      `json:"stuck"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// Sagas returns the orders that have waited for as long, such as 5m, the longest first; without an age, the stuck ones.
func (c *Client) Sagas(ctx context.Context, olderThan string) ([]Saga, error) {
	query := most()
	if olderThan != "" {
		query.Set("older_than", olderThan)
	}
	return all[Saga](ctx, c, c.Admin["order"], "/admin/v1/sagas", query)
}
