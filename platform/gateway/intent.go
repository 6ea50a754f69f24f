package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Status says how far a payment intent has come.
type Status string

// The statuses of an intent. Declined, canceled and refunded are final.
const (
	StatusRequiresAuthorization Status = "requires_authorization"
	StatusAuthorized            Status = "authorized"
	StatusDeclined              Status = "declined"
	StatusCaptured              Status = "captured"
	StatusCanceled              Status = "canceled"
	StatusRefunded              Status = "refunded" // all of what was captured; after a part of it: captured
)

// Intent is one payment: what it is for, and what has become of it. Amounts are in minor units of the currency, and
// always refunded ≤ captured ≤ authorized ≤ amount.
type Intent struct {
	ID            string `json:"id"`
	Reference     string `json:"reference"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"` // ISO 4217
	PaymentMethod Token  `json:"payment_method"`
	Status        Status `json:"status"`
	// Authorized is what the last authorization held; it stays after cancel, which lets go of it.
	Authorized int64 `json:"authorized"`
	Captured   int64 `json:"captured"`
	Refunded   int64 `json:"refunded"`
	// DeclineCode says why the status is declined.
	DeclineCode Code      `json:"decline_code,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	// ExpiresAt is when an authorization can no longer be captured.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// intentID derives the id from the reference: one reference, one intent.
func intentID(reference string) string {
	sum := sha256.Sum256([]byte(reference))
	return "pi_" + hex.EncodeToString(sum[:12])
}

// authorize holds the amount on the card, or declines for good.
func (i Intent) authorize(now time.Time, ttl time.Duration) (Intent, refusal) {
	switch i.Status {
	case StatusRequiresAuthorization:
	case StatusDeclined:
		return i, refusals[i.DeclineCode]
	case StatusCanceled:
		return i, refuseCanceled
	case StatusAuthorized:
		return i, refuseAuthorized
	default:
		return i, refuseCaptured
	}

	i.UpdatedAt = now
	if code := i.PaymentMethod.decline(); code != "" {
		i.Status, i.DeclineCode = StatusDeclined, code
		return i, refusals[code]
	}
	i.Status, i.Authorized, i.ExpiresAt = StatusAuthorized, i.Amount, now.Add(ttl)
	return i, refusal{}
}

// capture takes all or a part of what is held, once, and lets go of the rest.
func (i Intent) capture(amount int64, now time.Time) (Intent, refusal) {
	switch i.Status {
	case StatusAuthorized:
	case StatusCaptured, StatusRefunded:
		return i, refuseCaptured
	case StatusCanceled:
		return i, refuseCanceled
	default:
		return i, refuseNotAuthorized
	}
	switch {
	case amount > i.Authorized:
		return i, refuseTooLarge
	case !now.Before(i.ExpiresAt):
		return i, refuseExpired
	case i.PaymentMethod == TokenCaptureDeclined, i.PaymentMethod == TokenCancelDeclined:
		return i, refuseCaptureDeclined
	}
	i.Status, i.Captured, i.UpdatedAt = StatusCaptured, amount, now
	return i, refusal{}
}

// cancel lets go of what is held and forbids whatever has not happened yet. It acknowledges a declined intent, which
// holds nothing and is as final.
func (i Intent) cancel(now time.Time) (Intent, refusal) {
	switch i.Status {
	case StatusCanceled, StatusDeclined:
		return i, refusal{}
	case StatusCaptured, StatusRefunded:
		return i, refuseCaptured
	}
	if i.PaymentMethod == TokenCancelDeclined {
		return i, refuseCancelDeclined
	}
	i.Status, i.UpdatedAt = StatusCanceled, now
	return i, refusal{}
}

// refund gives back all or a part of what was captured and not yet refunded.
func (i Intent) refund(amount int64, now time.Time) (Intent, refusal) {
	left := i.Captured - i.Refunded
	switch {
	case left == 0:
		return i, refuseNothingToRefund
	case amount > left:
		return i, refuseTooLarge
	case i.PaymentMethod == TokenRefundDeclined:
		return i, refuseRefundDeclined
	}
	i.Refunded += amount
	if i.Refunded == i.Captured {
		i.Status = StatusRefunded
	}
	i.UpdatedAt = now
	return i, refusal{}
}
