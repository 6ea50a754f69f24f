package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Purchase is what a customer asks for.
type Purchase struct {
	CustomerID    string `json:"customer_id"`
	Email         string `json:"email"`
	PaymentMethod string `json:"payment_method"`
	Lines         []Line `json:"lines"`
	// SalesChannel may be left out.
	SalesChannel string `json:"sales_channel,omitempty"`
}

// Line asks for a quantity of a product.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Buy is the purchase of lines by a customer whose name does not matter.
func Buy(paymentMethod string, lines ...Line) Purchase {
	return Purchase{
		CustomerID: "ada", Email: "ada@example.com", PaymentMethod: paymentMethod, Lines: lines,
	}
}

// Money is an amount in minor units.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Order as the order service shows it.
type Order struct {
	ID           string    `json:"id"`
	CustomerID   string    `json:"customer_id"`
	Status       string    `json:"status"` // pending, confirmed or cancelled
	Reason       string    `json:"reason"` // why it was cancelled
	Detail       string    `json:"detail"`
	SalesChannel string    `json:"sales_channel"`
	Version      int64     `json:"version"`
	Total        Money     `json:"total"`
	Lines        []Line    `json:"lines"`
	Steps        []Step    `json:"steps"`
	Completed    bool      `json:"completed"` // whether the saga has ended for the present status
	ByHand       bool      `json:"settled_by_hand"`
	PlacedAt     time.Time `json:"placed_at"`
}

// Step is how far another service has come with an order.
type Step struct {
	Name   string `json:"name"` // stock or payment
	Status string `json:"status"`
}

// Ended is an error as long as the saga of the order has not.
func (o Order) Ended() error {
	if o.Completed {
		return nil
	}
	return fmt.Errorf("order %s is %s (%s) with steps %v", o.ID, o.Status, o.Reason, o.Steps)
}

// OrderEvent is one of an order's history.
type OrderEvent struct {
	ID            string          `json:"id"`
	Version       int64           `json:"version"`
	Type          string          `json:"type"`
	At            time.Time       `json:"at"`
	Published     bool            `json:"published"` // false for what other services answered
	CorrelationID string          `json:"correlation_id"`
	CausationID   string          `json:"causation_id"`
	Data          json.RawMessage `json:"data"`
}

// Place places an order. It returns once the order is accepted.
func (c *Client) Place(ctx context.Context, p Purchase) (Order, error) {
	var o Order
	_, err := c.Call(ctx, http.MethodPost, c.orders(), p, &o)
	return o, err
}

// Cancel asks for the cancellation of an order, in the customer's words.
func (c *Client) Cancel(ctx context.Context, id, words string) (Order, error) {
	var o Order
	_, err := c.Call(ctx, http.MethodPost, c.orders()+"/"+id+"/cancellation", map[string]string{"reason": words}, &o)
	return o, err
}

// Order returns an order as it stands.
func (c *Client) Order(ctx context.Context, id string) (Order, error) {
	return get[Order](ctx, c, c.Services["order"], "/v1/orders/"+id)
}

// OrderAtVersion returns an order as it was after its event of that number.
func (c *Client) OrderAtVersion(ctx context.Context, id string, version int64) (Order, error) {
	return get[Order](ctx, c, c.Services["order"], fmt.Sprintf("/v1/orders/%s?version=%d", id, version))
}

// OrderAt returns an order as it was at an instant that has passed.
func (c *Client) OrderAt(ctx context.Context, id string, at time.Time) (Order, error) {
	query := url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}}
	return get[Order](ctx, c, c.Services["order"], "/v1/orders/"+id+"?"+query.Encode())
}

// Orders returns all that the list of orders shows.
func (c *Client) Orders(ctx context.Context) ([]Order, error) {
	return all[Order](ctx, c, c.Services["order"], "/v1/orders", most())
}

// Decided holds a request, 30 s at most, until an order is no longer pending.
func (c *Client) Decided(ctx context.Context, id string) (Order, error) {
	return get[Order](ctx, c, c.Services["order"], "/v1/orders/"+id+"?wait=30s")
}

// Completed waits until the saga of an order has ended.
func (c *Client) Completed(ctx context.Context, id string) (Order, error) {
	var o Order
	err := Until(ctx, "the end of a saga", func() (err error) {
		if o, err = c.Order(ctx, id); err != nil {
			return err
		}
		return o.Ended()
	})
	return o, err
}

// History returns the events of an order.
func (c *Client) History(ctx context.Context, id string) ([]OrderEvent, error) {
	return all[OrderEvent](ctx, c, c.Services["order"], "/v1/orders/"+id+"/events", url.Values{})
}

func (c *Client) orders() string { return "http://" + c.Services["order"] + "/v1/orders" }
