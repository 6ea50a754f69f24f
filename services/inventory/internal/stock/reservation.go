package stock

import (
	"fmt"
	"time"
)

// Status of a reservation.
type Status string

// A reservation starts as none. It ends as committed, as failed, or, once cancelled, as released.
const (
	StatusNone      Status = "none"
	StatusReserved  Status = "reserved"
	StatusFailed    Status = "failed"
	StatusCommitted Status = "committed"
	StatusReleased  Status = "released"
)

// Line is a quantity of one sku.
type Line struct {
	SKU      string
	Quantity int64
}

// Reservation is what one order wants of the stock, and what became of it.
type Reservation struct {
	OrderID string
	// Lines are what the order asked for, one a sku, sorted by sku. They are held only while Status is reserved or
	// committed.
	Lines []Line
	// The facts known of the order. They never turn false again.
	Placed, Confirmed, Cancelled bool
	Status                       Status
	// Version rises by one with every event, and with every change that leads to none. Stored is the one in the
	// database, 0 if none.
	Version, Stored int64
	UpdatedAt       time.Time
}

// settle carries out what follows from the facts of r, a copy, and then keeps it. A failure comes before any change:
// only a step from a loaded state can fail, and that is always the first.
func (s *Stock) settle(r Reservation, at time.Time) ([]Event, error) {
	r.UpdatedAt = later(at, r.UpdatedAt)
	var events []Event
	if r.Cancelled && r.Status != StatusReleased {
		released, err := s.release(&r)
		if err != nil {
			return nil, err
		}
		events = append(events, released)
	}
	if r.Placed && r.Status == StatusNone {
		events = append(events, s.reserve(&r))
	}
	if r.Confirmed && r.Status == StatusReserved {
		committed, err := s.commit(&r)
		if err != nil {
			return nil, err
		}
		events = append(events, committed)
	}
	if len(events) == 0 {
		r.Version++
	}
	s.keepReservation(r)
	return events, nil
}

// reserve holds all lines or none.
func (s *Stock) reserve(r *Reservation) Event {
	r.Version++
	if reason, shortages := s.shortages(r.Lines); len(shortages) > 0 {
		r.Status = StatusFailed
		return ReservationFailed{
			OrderID: r.OrderID, Version: r.Version, At: r.UpdatedAt, Reason: reason, Shortages: shortages,
		}
	}
	for _, l := range r.Lines {
		p := s.Products[l.SKU]
		p.Available -= l.Quantity
		p.Reserved += l.Quantity
		p.change(r.UpdatedAt)
	}
	r.Status = StatusReserved
	return Reserved{OrderID: r.OrderID, Version: r.Version, At: r.UpdatedAt, Lines: r.Lines}
}

// shortages lists every line that cannot be held. One unknown sku is reason enough, whatever else is short.
func (s *Stock) shortages(lines []Line) (FailureReason, []Shortage) {
	reason := FailureOutOfStock
	var shortages []Shortage
	for _, l := range lines {
		p := s.Products[l.SKU]
		switch {
		case p == nil:
			reason = FailureUnknownProduct
			shortages = append(shortages, Shortage{SKU: l.SKU, Requested: l.Quantity})
		case p.Available < l.Quantity:
			shortages = append(shortages, Shortage{SKU: l.SKU, Requested: l.Quantity, Available: p.Available})
		}
	}
	return reason, shortages
}

func (s *Stock) commit(r *Reservation) (Event, error) {
	if err := s.check(r); err != nil {
		return nil, err
	}
	for _, l := range r.Lines {
		p := s.Products[l.SKU]
		p.Reserved -= l.Quantity
		p.Sold += l.Quantity
		p.change(r.UpdatedAt)
	}
	r.Version++
	r.Status = StatusCommitted
	return Committed{OrderID: r.OrderID, Version: r.Version, At: r.UpdatedAt, Lines: r.Lines}, nil
}

// release gives back what is held or sold, which may be nothing: the order is told either way.
func (s *Stock) release(r *Reservation) (Event, error) {
	if err := s.check(r); err != nil {
		return nil, err
	}
	from := r.Status
	r.Version++
	r.Status = StatusReleased
	released := Released{OrderID: r.OrderID, Version: r.Version, At: r.UpdatedAt, From: from}
	if from != StatusReserved && from != StatusCommitted {
		return released, nil
	}
	for _, l := range r.Lines {
		p := s.Products[l.SKU]
		if from == StatusReserved {
			p.Reserved -= l.Quantity
		} else {
			p.Sold -= l.Quantity
		}
		p.Available += l.Quantity
		p.change(r.UpdatedAt)
	}
	released.Lines = r.Lines
	return released, nil
}

// check reports whether the levels hold all that the reservation's status says they do.
func (s *Stock) check(r *Reservation) error {
	if r.Status != StatusReserved && r.Status != StatusCommitted {
		return nil
	}
	for _, l := range r.Lines {
		p := s.Products[l.SKU]
		if p == nil || r.Status == StatusReserved && p.Reserved < l.Quantity ||
			r.Status == StatusCommitted && p.Sold < l.Quantity {
			return fmt.Errorf("order %s, sku %s: %w", r.OrderID, l.SKU, ErrInconsistent)
		}
	}
	return nil
}
