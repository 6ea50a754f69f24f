package client

import (
	"context"
	"net/http"
	"net/url"
)

// Settle tells payment that an operator has undone by other means what the gateway refuses for good to undo. The key
// makes it safe to repeat; it may be empty.
func (c *Client) Settle(ctx context.Context, orderID, operator, reason, key string) (Payment, error) {
	caller := c.by(operator)
	if key != "" {
		caller = caller.With("Idempotency-Key", key)
	}
	var p Payment
	address := "http://" + c.Admin["payment"] + "/admin/v1/payments/" + url.PathEscape(orderID) + "/settlement"
	_, err := caller.Call(ctx, http.MethodPost, address, map[string]string{"reason": reason}, &p)
	return p, err
}
