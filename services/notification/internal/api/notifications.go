package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/pkg/service"
	"github.com/quadrille-platform/quadrille/services/notification/internal/mail"
	"github.com/quadrille-platform/quadrille/services/notification/internal/store"
)

// Notification as clients see it. Neither the address nor the text is shown.
type Notification struct {
	OrderID string      `json:"order_id" doc:"A UUID"`
	Kind    mail.Kind   `json:"kind" enum:"confirmation,cancellation,refund"`
	Status  mail.Status `json:"status" enum:"waiting,pending,sent,failed" doc:"Waiting: for the address, for a fact, or for the mail before it; pending: it is being sent"`

	Reason mail.Outcome `json:"reason,omitempty" enum:"refused,expired" doc:"Why it failed"`

	MessageID string `json:"message_id,omitempty" doc:"Absent until it is known that the order was placed"`

	CreatedAt time.Time  `json:"created_at" doc:"When the reason for it was learnt"`
	SentAt    *time.Time `json:"sent_at,omitempty"`
	FailedAt  *time.Time `json:"failed_at,omitempty"`
}

func notificationOf(n store.Notification) Notification {
	shown := Notification{
		OrderID: n.OrderID, Kind: n.Kind, Status: n.Status(), MessageID: n.MessageID, CreatedAt: n.Position.CreatedAt,
	}
	switch shown.Status {
	case mail.StatusSent:
		shown.SentAt = &n.EndedAt
	case mail.StatusFailed:
		shown.FailedAt, shown.Reason = &n.EndedAt, n.Outcome
	}
	return shown
}

type listNotifications struct {
	httpapi.Page
	OrderID string `query:"order_id" format:"uuid" doc:"Only the mails about this order"`
}

type notificationList struct{ Body httpapi.List[Notification] }

func (a *API) listNotifications(ctx context.Context, in *listNotifications) (*notificationList, error) {
	var after store.Position
	if _, err := httpapi.DecodeCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	found, err := store.Notifications(ctx, a.parts.DB, in.OrderID, after, in.Limit+1)
	if err != nil {
		return nil, service.Problem(err)
	}
	items := make([]Notification, len(found))
	for i, n := range found {
		items[i] = notificationOf(n)
	}
	list, err := httpapi.NewList(items, in.Limit, func(n Notification) store.Position {
		return store.Position{CreatedAt: n.CreatedAt, OrderID: n.OrderID, Kind: n.Kind}
	})
	return &notificationList{list}, err
}
