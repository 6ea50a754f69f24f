package demo

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// duplicatePost: a client that heard no answer sends its order again under the same Idempotency-Key.
func duplicatePost(s *scene) {
	tea := s.stocked(5)
	bought := client.Buy("tok_visa", client.Line{SKU: tea, Quantity: 1})
	keyed := s.With("Idempotency-Key", "demo-"+s.trace)
	first, err := keyed.Place(s.ctx, bought)
	s.check(err)
	second, err := keyed.Place(s.ctx, bought)
	s.check(err)
	if first.ID != second.ID {
		s.fail("one key made the orders %s and %s", first.ID, second.ID)
	}
	bought.Lines[0].Quantity = 2
	_, err = keyed.Place(s.ctx, bought)
	if client.StatusOf(err) != 409 {
		s.fail("the key with another order was not refused: %v", err)
	}
	s.ends(first.ID, confirmed)
	third, err := keyed.Place(s.ctx, client.Buy("tok_visa", client.Line{SKU: tea, Quantity: 1}))
	s.check(err)
	if third.ID != first.ID || third.Status != "confirmed" {
		s.fail("a late copy got order %s, %s", third.ID, third.Status)
	}
	s.levels(tea, 5, 1)
	s.saw("3 equal posts, 1 order; another body: 409")
}

// duplicateEvent: the very bytes of events that were handled are delivered once more. Each consumer recognises them.
func duplicateEvent(s *scene) {
	tea := s.stocked(5)
	o := s.ends(s.place("tok_visa", tea, 1).ID, confirmed)
	copies := []string{"OrderPlaced", "StockReserved", "PaymentCaptured"}
	counted := 0
	for _, kind := range copies {
		original, err := s.tape.await(s.ctx, o.ID, kind)
		s.check(err)
		known := make(map[string]float64)
		for _, service := range consumersOf(kind) {
			known[service] = s.duplicates(service)
		}
		s.check(s.tape.produce(s.ctx, &kgo.Record{
			Topic: original.raw.Topic, Key: original.raw.Key, Value: original.raw.Value, Headers: original.raw.Headers,
		}))
		for service, before := range known {
			s.until(service+" to count the duplicate of "+kind, func() error {
				if now := s.duplicates(service); now <= before {
					return fmt.Errorf("it has counted %g", now)
				}
				return nil
			})
			counted++
		}
	}
	if counted <= len(copies) {
		s.fail("the events have %d consumers", counted)
	}
	// A saga that comes later has its events behind whatever the copies might have led to.
	s.ends(s.place("tok_visa", tea, 1).ID, confirmed)

	s.until("the copies on Kafka", func() error { return copied(s.spoken(o.ID), len(copies)) })
	s.check(exactly(s.spoken(o.ID), confirmed.events))
	s.check(confirmed.settled(s, o))
	s.check(confirmed.told(s, o.ID))
	after, err := s.Order(s.ctx, o.ID)
	s.check(err)
	if after.Version != o.Version {
		s.fail("the order went from version %d to %d", o.Version, after.Version)
	}
	s.levels(tea, 5, 2)
	s.saw("copies of %d events delivered, %d times counted, nothing changed", len(copies), counted)
}

// consumersOf an event are the services that the catalogue grants it to.
func consumersOf(kind string) []string {
	for _, r := range schemas.Records() {
		if r.Simple() == kind {
			return r.Consumers
		}
	}
	return nil
}

// copied checks that so many of the records are copies.
func copied(records []record, copies int) error {
	distinct, err := once(records)
	if err == nil && len(records)-len(distinct) != copies {
		err = fmt.Errorf("%d records of %d events, not %d copies", len(records), len(distinct), copies)
	}
	return err
}

// duplicates that a service has recognised since its start.
func (s *scene) duplicates(service string) float64 {
	n, err := s.Metric(s.ctx, service, "quadrille_work_duplicates_total")
	s.check(err)
	return n
}
