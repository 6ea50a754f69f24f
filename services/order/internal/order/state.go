package order

import (
	"encoding/json"
	"fmt"
)

// Fold is the number of the way in which events become an Order, and an Order becomes text in EncodeState and
// EncodeProgress. Raise it with every change of either: a new field, another Apply, another name. What another number
// has encoded is then passed over, and the order is folded from its events.
const Fold = 1

// EncodeState returns an order as text, the whole of what its events have led to. Unlike an event it is not kept for
// ever: only the same Fold reads it.
func EncodeState(o *Order) ([]byte, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode order: %w", err)
	}
	return text, nil
}

// DecodeState returns the order that EncodeState was given, but for Stored and Snapshot.
func DecodeState(text []byte) (*Order, error) {
	var o Order
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, fmt.Errorf("decode order: %w", err)
	}
	return &o, nil
}
