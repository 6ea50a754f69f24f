package order

import "time"

// MaxDetail bounds the customer's own words, in bytes.
const MaxDetail = 1000

// Cancel is the customer's wish. It can be had of a pending and of a confirmed order; of a cancelled one it changes
// nothing, and the first reason stays.
type Cancel struct {
	OrderID string
	// Detail is optional.
	Detail string
	At     time.Time
}

// Needs names the order.
func (m Cancel) Needs() Needs { return Needs{Orders: []string{m.OrderID}} }

// Decide leads to Cancelled.
func (m Cancel) Decide(b *Book) ([]Event, error) {
	if err := checkTime(m.At); err != nil {
		return nil, err
	}
	if code := checkText(m.Detail, MaxDetail); code != "" && m.Detail != "" {
		return nil, refuse(code, "detail")
	}
	o := b.Orders[m.OrderID]
	if o == nil {
		return nil, ErrUnknownOrder
	}
	if o.Status == StatusCancelled {
		return nil, nil
	}
	return []Event{o.raise(m.At, o.cancelled(ReasonCustomerRequest, m.Detail))}, nil
}
