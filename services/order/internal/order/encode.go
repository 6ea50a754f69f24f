package order

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrUnknownEvent says that a stored event has a type that this release does not know.
var ErrUnknownEvent = errors.New("unknown event type")

// Encode returns the JSON under which an event is stored, beside its Type.
func Encode(e Event) ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", e.Type(), err)
	}
	return data, nil
}

// Decode returns the event that Encode was given. Fields that this release does not know are ignored, so that it reads
// what its successor stored.
func Decode(eventType string, data []byte) (Event, error) {
	decode, known := decoders[eventType]
	if !known {
		return nil, fmt.Errorf("decode %q: %w", eventType, ErrUnknownEvent)
	}
	e, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", eventType, err)
	}
	return e, nil
}

// decoders has every event, by its Type.
var decoders = map[string]func([]byte) (Event, error){
	Placed{}.Type():                 decode[Placed],
	Confirmed{}.Type():              decode[Confirmed],
	Cancelled{}.Type():              decode[Cancelled],
	StockReserved{}.Type():          decode[StockReserved],
	StockReservationFailed{}.Type(): decode[StockReservationFailed],
	StockCommitted{}.Type():         decode[StockCommitted],
	StockReleased{}.Type():          decode[StockReleased],
	PaymentAuthorized{}.Type():      decode[PaymentAuthorized],
	PaymentDeclined{}.Type():        decode[PaymentDeclined],
	PaymentCaptured{}.Type():        decode[PaymentCaptured],
	PaymentCaptureFailed{}.Type():   decode[PaymentCaptureFailed],
	PaymentVoided{}.Type():          decode[PaymentVoided],
	PaymentRefunded{}.Type():        decode[PaymentRefunded],
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, err
	}
	return e, nil
}
