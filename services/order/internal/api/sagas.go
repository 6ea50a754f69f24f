package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
	"github.com/quadrille-platform/quadrille/services/order/internal/store"
)

// Saga is an order whose present status waits for other services.
type Saga struct {
	OrderID    string       `json:"order_id" format:"uuid"`
	Status     order.Status `json:"status" enum:"pending,confirmed,cancelled"`
	Reason     order.Reason `json:"reason,omitempty" doc:"Why it was cancelled"`
	WaitingFor []string     `json:"waiting_for" doc:"The events that have not come" example:"[\"PaymentRefunded\"]"`
	Steps      []Step       `json:"steps" doc:"How far the other services have come"`
	Since      time.Time    `json:"since" doc:"When the present status began"`
	Stuck      bool         `json:"stuck" doc:"Whether it has waited for longer than it may"`
	UpdatedAt  time.Time    `json:"updated_at"`
}

func (a *Admin) sagaOf(o *order.Order, now time.Time) Saga {
	view := viewOf(o)
	since := o.OpenSince()
	return Saga{
		OrderID: o.ID, Status: o.Status, Reason: o.Reason, WaitingFor: o.Missing(), Steps: view.Steps, Since: since,
		Stuck: now.Sub(since) >= a.stuckAfter, UpdatedAt: o.UpdatedAt,
	}
}

type listSagas struct {
	httpapi.Page
	OlderThan service.Age `query:"older_than" minLength:"2" maxLength:"16" doc:"Only those that have waited as long; by default, the stuck ones" example:"5m"`
}

type sagaList struct{ Body httpapi.List[Saga] }

func (a *Admin) sagas(ctx context.Context, in *listSagas) (*sagaList, error) {
	var after store.Since
	if _, err := httpapi.DecodeCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	age := a.stuckAfter
	if in.OlderThan != "" {
		age = in.OlderThan.Duration()
	}
	now := a.parts.Now()
	found, err := store.Waiting(ctx, a.parts.DB, now.Add(-age), after, in.Limit+1)
	if err != nil {
		return nil, problem(err)
	}
	items := make([]Saga, len(found))
	for i, o := range found {
		items[i] = a.sagaOf(o, now)
	}
	list, err := httpapi.NewList(items, in.Limit, func(s Saga) store.Since {
		return store.Since{OpenSince: s.Since, OrderID: s.OrderID}
	})
	return &sagaList{list}, err
}
