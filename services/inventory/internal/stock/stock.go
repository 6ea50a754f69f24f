// Package stock decides what is for sale, how much of it there is, and for which order it is held.
//
// Every message is a pure, total function of the state: it never panics, and after an error the state is as before.
// A message about an order records a fact (placed, confirmed, cancelled) on its reservation, then settle works out what
// follows from all facts known. So every interleaving of an order's messages leads to the same end, and a repeated one
// changes nothing.
//
// For every sku, what was ever restocked = Available + Reserved + Sold, none of them negative.
package stock

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

var (
	// ErrUnknownProduct says that no product has the sku.
	ErrUnknownProduct = errors.New("unknown product")
	// ErrInconsistent says that a product is missing or holds less than a reservation says it holds: the state was
	// loaded in part, or somebody else wrote to the tables.
	ErrInconsistent = errors.New("levels contradict the reservation")
)

// Code is the stable reason of a Refusal.
type Code string

// The reasons for which a field is refused.
const (
	CodeMissing    Code = "missing"
	CodeMalformed  Code = "malformed"
	CodeTooLong    Code = "too_long"
	CodeOutOfRange Code = "out_of_range"
)

// Refusal names the field of a message that cannot be accepted, such as "lines[1].quantity", and why.
type Refusal struct {
	Code  Code
	Field string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Field, r.Code) }

// Message asks for a change of the stock.
type Message interface {
	// Decide folds the message into the stock and returns what has happened. After an error the stock is as before.
	Decide(*Stock) ([]Event, error)
	// Needs names what must be loaded first.
	Needs() Needs
}

// Needs are the keys that a message reads, sorted and each once. Of a reservation among Orders the products of its
// lines are needed too.
type Needs struct{ Orders, SKUs []string }

// Stock is the state for one batch: what its messages need, as far as it exists.
type Stock struct {
	Products     map[string]*Product
	Reservations map[string]*Reservation
}

// reservation returns a copy of what is known of an order: an empty one for an order never heard of.
func (s *Stock) reservation(orderID string) Reservation {
	if r := s.Reservations[orderID]; r != nil {
		return *r
	}
	return Reservation{OrderID: orderID, Status: StatusNone}
}

func (s *Stock) keepReservation(r Reservation) {
	if known := s.Reservations[r.OrderID]; known != nil {
		*known = r
		return
	}
	if s.Reservations == nil {
		s.Reservations = make(map[string]*Reservation)
	}
	s.Reservations[r.OrderID] = &r
}

func (s *Stock) keepProduct(p Product) {
	if known := s.Products[p.SKU]; known != nil {
		*known = p
		return
	}
	if s.Products == nil {
		s.Products = make(map[string]*Product)
	}
	s.Products[p.SKU] = &p
}

// later keeps the times of one stream from decreasing when the clocks of two replicas differ.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// add returns a + b for amounts that are not negative, and false on overflow.
func add(a, b int64) (int64, bool) {
	if a > math.MaxInt64-b {
		return 0, false
	}
	return a + b, true
}

func sorted(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
