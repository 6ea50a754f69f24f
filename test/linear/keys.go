package linear

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// Place is a POST of an order under an Idempotency-Key. Its body is known by the quantity that it orders.
type Place struct {
	Key      string
	Quantity int64
}

// Placed is the answer to a Place.
type Placed struct {
	Status   int
	Location string
	// Shown is the quantity of the order in the answer, 0 if it showed none.
	Shown int64
}

// first is what the first Place of a key did, all zero before.
type first struct {
	quantity int64
	location string // empty as long as nobody was told
}

// KeyModel says how an Idempotency-Key answers one client: the first body under it makes an order, the same body again
// is answered alike, and any other with 409.
func KeyModel() porcupine.Model {
	return porcupine.Model{
		Partition: partition(func(input any) string { return input.(Place).Key }),
		Init:      func() any { return first{} },
		Step: func(state, input, output any) (bool, any) {
			legal, next := state.(first).step(input.(Place), output)
			return legal, next
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

// step takes nil for an unknown output.
func (f first) step(p Place, output any) (legal bool, next first) {
	if f == (first{}) {
		f.quantity = p.Quantity
	}
	answer, known := output.(Placed)
	if !known {
		return true, f
	}
	if f.quantity != p.Quantity {
		return answer.Status == 409, f
	}
	if f.location == "" {
		f.location = answer.Location
	}
	same := answer.Location == f.location && (answer.Shown == 0 || answer.Shown == f.quantity)
	return answer.Status == 202 && answer.Location != "" && same, f
}
