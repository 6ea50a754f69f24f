package api

import (
	"time"

	"github.com/quadrille-platform/quadrille/pkg/httpapi"
	"github.com/quadrille-platform/quadrille/services/order/internal/order"
)

// Order as clients see it. The e-mail address and the payment method are not shown.
type Order struct {
	ID          string       `json:"id" format:"uuid"`
	CustomerID  string       `json:"customer_id"`
	Status      order.Status `json:"status" enum:"pending,confirmed,cancelled"`
	Reason      order.Reason `json:"reason,omitempty" doc:"Why it was cancelled" enum:"out_of_stock,payment_declined,payment_failed,timed_out,customer_request"`
	Detail      string       `json:"detail,omitempty" doc:"The customer's words on cancelling"`
	Channel     string       `json:"sales_channel,omitempty" doc:"Where the customer came from"`
	Version     int64        `json:"version"`
	Total       Money        `json:"total"`
	Lines       []Line       `json:"lines"`
	Steps       []Step       `json:"steps" doc:"How far the other services have come"`
	WaitingFor  []string     `json:"waiting_for" doc:"The steps that the present status still waits for"`
	ByHand      bool         `json:"settled_by_hand,omitempty" doc:"An operator has undone the payment where the gateway refused"`
	Completed   bool         `json:"completed" doc:"Whether the saga has ended for the present status"`
	PlacedAt    time.Time    `json:"placed_at"`
	ConfirmedAt *time.Time   `json:"confirmed_at,omitempty"`
	CancelledAt *time.Time   `json:"cancelled_at,omitempty"`
	UpdatedAt   time.Time    `json:"updated_at"`
}

// Money is an amount in minor units.
type Money struct {
	Amount   int64                `json:"amount" doc:"Minor units, such as cents"`
	Currency httpapi.CurrencyCode `json:"currency"`
}

// Line of an order, at the price of the moment it was placed.
type Line struct {
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
	UnitPrice int64  `json:"unit_price" doc:"Minor units"`
}

// Step is one service's part of the saga.
type Step struct {
	Name   order.StepName   `json:"name" enum:"stock,payment"`
	Status order.StepStatus `json:"status"`
	At     time.Time        `json:"at"`
}

func viewOf(o *order.Order) Order {
	view := Order{
		ID: o.ID, CustomerID: o.CustomerID, Status: o.Status, Reason: o.Reason, Detail: o.Detail,
		Channel: o.SalesChannel,
		Version: o.Version, Total: Money{o.Total, httpapi.CurrencyCode(o.Currency)}, Lines: make([]Line, len(o.Lines)),
		WaitingFor: []string{}, ByHand: o.Payment.SettledByHand, Completed: o.Completed(), PlacedAt: o.PlacedAt,
		ConfirmedAt: known(o.ConfirmedAt), CancelledAt: known(o.CancelledAt), UpdatedAt: o.UpdatedAt,
	}
	for i, l := range o.Lines {
		view.Lines[i] = Line{l.SKU, l.Quantity, l.UnitPrice}
	}
	for _, s := range o.Steps() {
		view.Steps = append(view.Steps, Step{s.Name, s.Status, s.At})
	}
	for _, name := range o.WaitingFor() {
		view.WaitingFor = append(view.WaitingFor, string(name))
	}
	return view
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
