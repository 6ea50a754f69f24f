package linear

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Stock is an operation on the stock of one product.
type Stock struct {
	Kind     Kind
	SKU      string
	Order    int // place of the order among those for this sku; of Reserve, Sell and Release
	Quantity int64
}

// Kind of a Stock operation.
type Kind string

// What a client asks for itself, or waits for after it has placed or cancelled an order.
const (
	Read    Kind = "read"
	Restock Kind = "restock"
	Reserve Kind = "reserve" // the order is decided: was its stock held?
	Sell    Kind = "sell"    // its confirmation was answered
	Release Kind = "release" // its cancellation was answered
)

// Levels is the answer to a Read. A Restock, a Sell and a Release have none.
type Levels struct{ Available, Reserved, Sold int64 }

// Held is the answer to a Reserve.
type Held bool

// phase of an order.
type phase byte

const (
	unknown  phase = '.'
	reserved phase = 'r'
	refused  phase = 'x'
	sold     phase = 's'
	released phase = 'b'
)

// shelf is the state of one product: its levels, and the phase of each order for it.
type shelf struct {
	Levels
	orders string
}

func (s shelf) phase(order int) phase { return phase(s.orders[order]) }

func (s shelf) to(order int, p phase) shelf {
	s.orders = s.orders[:order] + string(p) + s.orders[order+1:]
	return s
}

// StockModel says how the stock of a product answers one client. At most orders of each sku take part.
func StockModel(orders int) porcupine.Model {
	return porcupine.Model{
		Partition: partition(func(input any) string { return input.(Stock).SKU }),
		Init:      func() any { return shelf{orders: strings.Repeat(string(unknown), orders)} },
		Step: func(state, input, output any) (bool, any) {
			legal, next := state.(shelf).step(input.(Stock), output)
			return legal, next
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%v → %v", input, output) },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

func (s shelf) step(o Stock, output any) (legal bool, next shelf) {
	switch o.Kind {
	case Read:
		return output == s.Levels, s
	case Restock:
		s.Available += o.Quantity
		return true, s
	case Reserve:
		held := s.Available >= o.Quantity
		if s.phase(o.Order) != unknown || output != Held(held) {
			return false, s
		}
		if !held {
			return true, s.to(o.Order, refused)
		}
		s.Available -= o.Quantity
		s.Reserved += o.Quantity
		return true, s.to(o.Order, reserved)
	case Sell:
		s.Reserved -= o.Quantity
		s.Sold += o.Quantity
		return s.phase(o.Order) == reserved, s.to(o.Order, sold)
	case Release:
		switch s.phase(o.Order) {
		case reserved:
			s.Reserved -= o.Quantity
		case sold:
			s.Sold -= o.Quantity
		default:
			return false, s
		}
		s.Available += o.Quantity
		return true, s.to(o.Order, released)
	}
	return false, s
}

// partition splits a history by a key of its inputs: what concerns different keys is independent.
func partition(key func(input any) string) func([]porcupine.Operation) [][]porcupine.Operation {
	return func(history []porcupine.Operation) (parts [][]porcupine.Operation) {
		place := make(map[string]int)
		for _, o := range history {
			k := key(o.Input)
			if _, known := place[k]; !known {
				place[k] = len(parts)
				parts = append(parts, nil)
			}
			parts[place[k]] = append(parts[place[k]], o)
		}
		return parts
	}
}
