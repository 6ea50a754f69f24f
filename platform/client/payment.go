package client

import (
	"context"
	"net/url"
)

// Payment as the payment service shows it. Amounts are in minor units.
type Payment struct {
	Status         string `json:"status"` // pending, authorized, declined, captured, capture_failed, voided or refunded
	Authorized     int64  `json:"authorized"`
	Captured       int64  `json:"captured"`
	Refunded       int64  `json:"refunded"`
	DeclineReason  string `json:"decline_reason"`
	CaptureFailure string `json:"capture_failure"`
	Calls          int64  `json:"calls"` // to the gateway, that were begun
	Stuck          bool   `json:"stuck"`
}

// Payment returns that of an order.
func (c *Client) Payment(ctx context.Context, orderID string) (Payment, error) {
	return get[Payment](ctx, c, c.Services["payment"], "/v1/payments/"+orderID)
}

// LedgerLine is one side of an entry. Exactly one of Debit and Credit is not 0.
type LedgerLine struct {
	Version int64  `json:"version"`
	Account string `json:"account"`
	Debit   int64  `json:"debit"`
	Credit  int64  `json:"credit"`
	EventID string `json:"event_id"`
}

// Ledger returns the lines of an order.
func (c *Client) Ledger(ctx context.Context, orderID string) ([]LedgerLine, error) {
	query := url.Values{"order_id": {orderID}, "limit": {"100"}}
	return all[LedgerLine](ctx, c, c.Services["payment"], "/v1/ledger", query)
}
