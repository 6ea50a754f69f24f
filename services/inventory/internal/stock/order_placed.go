package stock

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// OrderPlaced asks to hold all lines of an order, or none. Several lines may name one sku; their quantities add up.
// An order cancelled before is not held, for the cancellation was answered already.
type OrderPlaced struct {
	OrderID string
	Lines   []Line
	At      time.Time
}

// Needs names the order and its skus.
func (m OrderPlaced) Needs() Needs {
	skus := make([]string, len(m.Lines))
	for i, l := range m.Lines {
		skus[i] = l.SKU
	}
	return Needs{Orders: []string{m.OrderID}, SKUs: sorted(skus)}
}

// Decide leads to Reserved or ReservationFailed.
func (m OrderPlaced) Decide(s *Stock) ([]Event, error) {
	if err := checkOrder(m.OrderID, m.At); err != nil {
		return nil, err
	}
	lines, err := sum(m.Lines)
	if err != nil {
		return nil, err
	}
	r := s.reservation(m.OrderID)
	if r.Placed {
		return nil, nil
	}
	r.Placed, r.Lines = true, lines
	return s.settle(r, m.At)
}

// sum returns one line a sku, sorted by sku.
func sum(lines []Line) ([]Line, error) {
	if len(lines) == 0 {
		return nil, &Refusal{CodeMissing, "lines"}
	}
	total := make(map[string]int64, len(lines))
	for i, l := range lines {
		if l.SKU == "" {
			return nil, &Refusal{CodeMissing, fmt.Sprintf("lines[%d].sku", i)}
		}
		quantity, ok := int64(0), l.Quantity > 0
		if ok {
			quantity, ok = add(total[l.SKU], l.Quantity)
		}
		if !ok {
			return nil, &Refusal{CodeOutOfRange, fmt.Sprintf("lines[%d].quantity", i)}
		}
		total[l.SKU] = quantity
	}
	summed := make([]Line, 0, len(total))
	for sku, quantity := range total {
		summed = append(summed, Line{sku, quantity})
	}
	slices.SortFunc(summed, func(a, b Line) int { return cmp.Compare(a.SKU, b.SKU) })
	return summed, nil
}
