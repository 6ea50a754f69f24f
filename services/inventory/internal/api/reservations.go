package api

import (
	"context"
	"time"

	"github.com/quadrille-platform/quadrille/services/inventory/internal/stock"
	"github.com/quadrille-platform/quadrille/services/inventory/internal/store"
)

// Reservation as clients see it.
type Reservation struct {
	OrderID   string       `json:"order_id"`
	Status    stock.Status `json:"status" enum:"none,reserved,failed,committed,released"`
	Lines     []Line       `json:"lines" doc:"What the order asked for; held while reserved or committed"`
	Version   int64        `json:"version"`
	UpdatedAt time.Time    `json:"updated_at"`
}

// Line of a reservation.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

type orderID struct {
	OrderID string `path:"order_id" format:"uuid"`
}

type reservationBody struct{ Body Reservation }

func (a *API) getReservation(ctx context.Context, in *orderID) (*reservationBody, error) {
	r, err := store.Reservation(ctx, a.parts.DB, in.OrderID)
	if err != nil {
		return nil, problem(err)
	}
	lines := make([]Line, len(r.Lines))
	for i, l := range r.Lines {
		lines[i] = Line{SKU: l.SKU, Quantity: l.Quantity}
	}
	return &reservationBody{Reservation{
		OrderID: r.OrderID, Status: r.Status, Lines: lines, Version: r.Version, UpdatedAt: r.UpdatedAt,
	}}, nil
}
