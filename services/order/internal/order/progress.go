package order

import (
	"encoding/json"
	"fmt"
	"time"
)

// progress is what has become of an order since it was placed, but for its status and version. Instants are in
// microseconds since 1970, which is half as long to write as their text.
type progress struct {
	Reason    Reason `json:"reason,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Updated   *int64 `json:"updated,omitempty"`
	Confirmed *int64 `json:"confirmed,omitempty"`
	Cancelled *int64 `json:"cancelled,omitempty"`

	StockReserved  *int64 `json:"stock_reserved,omitempty"`
	StockFailed    *int64 `json:"stock_failed,omitempty"`
	StockCommitted *int64 `json:"stock_committed,omitempty"`
	StockReleased  *int64 `json:"stock_released,omitempty"`

	PaymentAuthorized    *int64 `json:"payment_authorized,omitempty"`
	PaymentDeclined      *int64 `json:"payment_declined,omitempty"`
	PaymentCaptured      *int64 `json:"payment_captured,omitempty"`
	PaymentCaptureFailed *int64 `json:"payment_capture_failed,omitempty"`
	PaymentVoided        *int64 `json:"payment_voided,omitempty"`
	PaymentRefunded      *int64 `json:"payment_refunded,omitempty"`
	SettledByHand        bool   `json:"settled_by_hand,omitempty"`
}

// EncodeProgress returns as text what Placed, status and version do not say of an order. Only the same Fold reads it.
func EncodeProgress(o *Order) ([]byte, error) {
	s, p := o.Stock, o.Payment
	text, err := json.Marshal(progress{
		o.Reason, o.Detail, micros(o.UpdatedAt), micros(o.ConfirmedAt), micros(o.CancelledAt),
		micros(s.Reserved), micros(s.Failed), micros(s.Committed), micros(s.Released),
		micros(p.Authorized), micros(p.Declined), micros(p.Captured), micros(p.CaptureFailed), micros(p.Voided),
		micros(p.Refunded), p.SettledByHand,
	})
	if err != nil {
		return nil, fmt.Errorf("encode progress: %w", err)
	}
	return text, nil
}

// Restore returns the order that was placed by the event and has come as far as text says, but for Stored and Snapshot.
func Restore(placed Event, status Status, version int64, text []byte) (*Order, error) {
	var p progress
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("decode progress: %w", err)
	}
	o := &Order{}
	o.Apply(placed)
	o.Status, o.Version, o.Reason, o.Detail = status, version, p.Reason, p.Detail
	o.UpdatedAt, o.ConfirmedAt, o.CancelledAt = instant(p.Updated), instant(p.Confirmed), instant(p.Cancelled)
	o.Stock = StockFacts{
		Reserved: instant(p.StockReserved), Failed: instant(p.StockFailed),
		Committed: instant(p.StockCommitted), Released: instant(p.StockReleased),
	}
	o.Payment = PaymentFacts{
		Authorized: instant(p.PaymentAuthorized), Declined: instant(p.PaymentDeclined),
		Captured: instant(p.PaymentCaptured), CaptureFailed: instant(p.PaymentCaptureFailed),
		Voided: instant(p.PaymentVoided), Refunded: instant(p.PaymentRefunded), SettledByHand: p.SettledByHand,
	}
	return o, nil
}

func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMicro())
}

func instant(micros *int64) time.Time {
	if micros == nil {
		return time.Time{}
	}
	return time.UnixMicro(*micros).UTC()
}
