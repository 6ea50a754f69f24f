package demo

import (
	"slices"
	"time"
)

// timeTravel: an order is the fold of its events, so it can be seen as it was after each of them, or at any instant.
func timeTravel(s *scene) {
	tea := s.stocked(5)
	o := s.place("tok_visa", tea, 1)
	_, err := s.Completed(s.ctx, o.ID)
	s.check(err)
	_, err = s.Cancel(s.ctx, o.ID, "Changed my mind")
	s.check(err)
	o = s.ends(o.ID, cancelledAfter)

	history, err := s.History(s.ctx, o.ID)
	s.check(err)
	if int64(len(history)) != o.Version {
		s.fail("version %d has %d events", o.Version, len(history))
	}
	var told []string
	status := "" // as the events so far have it
	for i, e := range history {
		told = append(told, e.Type)
		switch e.Type {
		case "OrderPlaced":
			status = "pending"
		case "OrderConfirmed":
			status = "confirmed"
		case "OrderCancelled":
			status = "cancelled"
		}
		if e.Version != int64(i+1) || e.CausationID == "" || e.CorrelationID == "" {
			s.fail("event %d is %+v", i+1, e)
		}
		then, err := s.OrderAtVersion(s.ctx, o.ID, e.Version)
		s.check(err)
		if then.Version != e.Version || then.Status != status {
			s.fail("as of event %d the order is %s at version %d, not %s", e.Version, then.Status, then.Version, status)
		}
		if i+1 < len(history) && !history[i+1].At.After(e.At) {
			continue // the next event is of the same instant
		}
		then, err = s.OrderAt(s.ctx, o.ID, e.At)
		s.check(err)
		if then.Version != e.Version || then.Status != status {
			s.fail("at %s the order is %s at version %d, not %s at %d", e.At.Format(time.RFC3339Nano),
				then.Status, then.Version, status, e.Version)
		}
	}
	for _, kind := range s.published(o.ID) {
		if !slices.Contains(told, kind) {
			s.fail("the history lacks %s: %v", kind, told)
		}
	}
	s.levels(tea, 5, 0)
	s.saw("%d versions: pending, confirmed, cancelled", len(history))
}

// published are the kinds of events on Kafka about an order.
func (s *scene) published(orderID string) []string { return kinds(s.spoken(orderID)) }
