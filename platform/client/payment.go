package client

import (
	"context"
	"net/url"
)

// Payment as the payment service shows it. Amounts are in minor units.
type Payment struct {
	OrderID        string `json:"order_id"`
	Amount         int64  `json:"amount"` // the order's total; 0 until it is known
	Currency       string `json:"currency"`
	Status         string `json:"status"` // pending, authorized, declined, captured, capture_failed, voided or refunded
	Authorized     int64  `json:"authorized"`
	Captured       int64  `json:"captured"`
	Refunded       int64  `json:"refunded"`
	DeclineReason  string `json:"decline_reason"`
	CaptureFailure string `json:"capture_failure"`
	Calls          int64  `json:"calls"` // to the gateway, that were begun
	Stuck          bool   `json:"stuck"`
	SettledByHand  bool   `json:"settled_by_hand"`
}

// Payment returns that of an order.
func (c *Client) Payment(ctx context.Context, orderID string) (Payment, error) {
	return get[Payment](ctx, c, c.Services["payment"], "/v1/payments/"+orderID)
}

// LedgerLine is one side of an entry. Exactly one of Debit and Credit is not 0.
type LedgerLine struct {
	OrderID  string `json:"order_id"`
	Version  int64  `json:"version"`
	Account  string `json:"account"`
	Debit    int64  `json:"debit"`
	Credit   int64  `json:"credit"`
	Currency string `json:"currency"`
	EventID  string `json:"event_id"`
	// Operator and Reason are those of a settlement by hand.
	Operator string `json:"operator"`
	Reason   string `json:"reason"`
}

// Ledger returns the lines of an order.
func (c *Client) Ledger(ctx context.Context, orderID string) ([]LedgerLine, error) {
	query := url.Values{"order_id": {orderID}, "limit": {"100"}}
	return all[LedgerLine](ctx, c, c.Services["payment"], "/v1/ledger", query)
}

// WholeLedger returns the lines of all orders.
func (c *Client) WholeLedger(ctx context.Context) ([]LedgerLine, error) {
	return all[LedgerLine](ctx, c, c.Services["payment"], "/v1/ledger", most())
}
