package checker

import (
	"encoding/json"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// linesOf returns how much of each sku an event moves, nothing for most.
func linesOf(r Record) map[string]int64 {
	var lines []schemas.StockLine
	switch data := r.Event.Data.(type) {
	case *schemas.StockReserved:
		lines = data.Lines
	case *schemas.StockCommitted:
		lines = data.Lines
	case *schemas.StockReleased:
		lines = data.Lines
	}
	quantities := make(map[string]int64, len(lines))
	for _, l := range lines {
		quantities[l.SKU] += l.Quantity
	}
	return quantities
}

// moneyOf returns the amount that an event moves, 0 for most.
func moneyOf(r Record) int64 {
	switch data := r.Event.Data.(type) {
	case *schemas.PaymentCaptured:
		return data.Amount
	case *schemas.PaymentRefunded:
		return data.Amount
	}
	return 0
}

// byHand reports whether an operator did outside the gateway what it had refused.
func byHand(r Record) bool {
	switch data := r.Event.Data.(type) {
	case *schemas.PaymentRefunded:
		return data.SettledByHand
	case *schemas.PaymentVoided:
		return data.SettledByHand
	}
	return false
}

// noted reports whether an event is booked although it moves no money: a hold that an operator saw to.
func noted(r Record) bool { return r.kind() == "PaymentVoided" && byHand(r) }

// mailKind is which mail an event of notification is about, empty for others.
func mailKind(r Record) string {
	switch data := r.Event.Data.(type) {
	case *schemas.NotificationSent:
		return string(data.Kind)
	case *schemas.NotificationFailed:
		return string(data.Kind)
	}
	return ""
}

// reasonOf is why an order was cancelled, by the event of its history.
func reasonOf(e client.OrderEvent) string {
	var data struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal(e.Data, &data) // what says nothing gives no reason
	return data.Reason
}
