package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Intent is a payment as the gateway keeps it. Payment opens it under the id of the order.
type Intent struct {
	ID         string `json:"id"`
	Reference  string `json:"reference"`
	Status     string `json:"status"` // requires_authorization, authorized, declined, captured, canceled or refunded
	Amount     int64  `json:"amount"`
	Currency   string `json:"currency"`
	Authorized int64  `json:"authorized"`
	Captured   int64  `json:"captured"`
	Refunded   int64  `json:"refunded"`
}

// Intent returns that of an order. The error says so if the gateway has none.
func (c *Client) Intent(ctx context.Context, orderID string) (Intent, error) {
	type list struct {
		Intents []Intent `json:"payment_intents"`
	}
	query := url.Values{"reference": {orderID}}
	found, err := get[list](ctx, c, c.Gateway, "/v1/payment_intents?"+query.Encode())
	if err == nil && len(found.Intents) == 0 {
		err = fmt.Errorf("the gateway has no payment intent of order %s", orderID)
	}
	if err != nil {
		return Intent{}, err
	}
	return found.Intents[0], nil
}

// Attempts counts the authorizations that the gateway gave no final answer.
type Attempts struct {
	Unavailable int `json:"unavailable"` // answered 503
	Unanswered  int `json:"unanswered"`  // kept waiting until the caller left
}

// Attempts returns those of an intent, since the gateway's start.
func (c *Client) Attempts(ctx context.Context, intentID string) (Attempts, error) {
	return get[Attempts](ctx, c, c.Gateway, "/v1/payment_intents/"+intentID+"/attempts")
}

// Authorize asks the gateway for an authorization, as payment would.
func (c *Client) Authorize(ctx context.Context, intentID, key string) (Intent, error) {
	var i Intent
	address := "http://" + c.Gateway + "/v1/payment_intents/" + intentID + "/authorize"
	_, err := c.With("Idempotency-Key", key).Call(ctx, http.MethodPost, address, nil, &i)
	return i, err
}

// Operation is one entry of the gateway's ledger: what was asked for and finally answered.
type Operation struct {
	Seq       int64  `json:"seq"`
	Operation string `json:"operation"`       // open, authorize, capture, cancel or refund
	Key       string `json:"idempotency_key"` // empty for open
	Amount    int64  `json:"amount"`
	Status    int    `json:"status"` // of the answer
	Code      string `json:"code"`   // of a refusal
	After     Intent `json:"after"`
}

// Operations returns the gateway's ledger.
func (c *Client) Operations(ctx context.Context) ([]Operation, error) {
	type page struct {
		Operations []Operation `json:"operations"`
		Next       int64       `json:"next"`
	}
	var operations []Operation
	for after := int64(0); ; {
		p, err := get[page](ctx, c, c.Gateway, fmt.Sprintf("/v1/ledger?limit=10000&after=%d", after))
		if err != nil || len(p.Operations) == 0 {
			return operations, err
		}
		operations, after = append(operations, p.Operations...), p.Next
	}
}
