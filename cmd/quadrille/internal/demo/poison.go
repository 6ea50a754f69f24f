package demo

import (
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/platform/client"
	"github.com/quadrille-platform/quadrille/schemas"
)

// poison: records that nobody can handle stand among good ones. Each becomes a dead letter of every service that reads
// the topic, to the byte; only what comes later of the same key waits, until an operator discards it.
func poison(s *scene) {
	const reason = "garbage, sent to show that it does no harm"
	tea := s.stocked(10)
	o := s.place("tok_visa", tea, 1)
	done, err := s.Completed(s.ctx, o.ID)
	s.check(firstOf(err, confirmed.of(done)))

	foul := []spoilt{
		{"undecodable", s.garbage(o.ID)}, {"headers", &kgo.Record{Value: random()}}, {"headers", s.contradiction()},
	}
	readers := readersOf(saga[0])
	letters := make(map[string][]client.OpenedDeadLetter)
	for _, f := range foul {
		f.record.Topic = saga[0]
		s.check(s.tape.spoil(s.ctx, f.record))
		for _, service := range readers {
			letter := s.letterOf(service, f.record)
			s.check(f.in(letter))
			s.until("the copy on "+schemas.DeadLetterTopic(service), func() error {
				return copyOf(f.record, service, s.tape.copied())
			})
			letters[service] = append(letters[service], letter)
		}
	}

	// Everybody else goes on. What comes later of the same key waits.
	for range 3 {
		s.ends(s.place("tok_visa", tea, 1).ID, confirmed)
	}
	_, err = s.Cancel(s.ctx, o.ID, "Changed my mind")
	s.check(err)
	for _, service := range readers {
		behind := s.behind(service, letters[service][0].ID, "OrderCancelled")
		_, err := s.Rule(s.ctx, service, behind.ID, client.Discard, operator, reason)
		if client.StatusOf(err) != 409 {
			s.fail("%s discards a letter that waits behind another: %v", service, err)
		}
	}
	waiting, err := s.Order(s.ctx, o.ID)
	s.check(err)
	if waiting.Completed {
		s.fail("the saga ended although the cancellation waits")
	}

	ruled := 0
	for service, dead := range letters {
		for _, letter := range dead {
			_, err := s.Rule(s.ctx, service, letter.ID, client.Discard, operator, reason)
			s.check(err)
			s.check(s.discarded(service, letter.ID, reason))
			ruled++
		}
	}
	s.ends(o.ID, cancelledAfter)
	s.levels(tea, 10, 3)
	for _, service := range readers {
		s.lettersGone(service, o.ID)
	}
	if s.site != nil { // elsewhere others may have some
		s.check(noLetters(s.ctx, s.site))
	}
	s.saw("%d dead letters of %d records in %d services; the cancellation waited until %s discarded them", ruled,
		len(foul), len(readers), operator)
}

// spoilt is a record that nobody can handle, and the class that its letters have.
type spoilt struct {
	class  string
	record *kgo.Record
}

// in checks that a letter has the record to the byte.
func (f spoilt) in(letter client.OpenedDeadLetter) error {
	if letter.State != "dead" || letter.Class != f.class || !letter.Head || letter.Error == "" {
		return errors.New("the dead letter is " + text(letter.DeadLetter))
	}
	return sameBytes(f.record, letter.Record)
}

// garbage has the envelope of an order's event, and nothing in it.
func (s *scene) garbage(orderID string) *kgo.Record {
	return &kgo.Record{Key: []byte(orderID), Value: random(), Headers: s.envelope(orderID, placedName)}
}

// contradiction is an event of no order that says it is another.
func (s *scene) contradiction() *kgo.Record {
	id := event.NewID()
	value, err := s.tape.codec.Append(nil, &schemas.OrderConfirmed{
		OrderID: id, Currency: price.Currency, Total: price.Amount, ConfirmedAt: event.Now(time.Now),
	})
	s.check(err)
	return &kgo.Record{Key: []byte(id), Value: value, Headers: s.envelope(id, placedName)}
}

// envelope are the headers of an event about an order, as order would write them.
func (s *scene) envelope(orderID, kind string) (headers []kgo.RecordHeader) {
	request := event.NewID()
	for _, h := range event.Headers(event.Event{
		ID: event.Derive("/quadrille/order", request, 0), Type: kind, Source: "/quadrille/order", Key: orderID,
		Sequence: 1, Time: event.Now(time.Now),
		Cause: event.Cause{ID: request, Correlation: request, Trace: "00-" + s.trace + "-" + hexadecimal(8) + "-01"},
	}) {
		headers = append(headers, kgo.RecordHeader(h))
	}
	return headers
}

func random() []byte { return []byte(strings.ToLower(rand.Text())) }

// readersOf a topic are the services that the catalogue lets read it.
func readersOf(topic string) []string {
	for _, t := range schemas.Topics() {
		if t.Name == topic {
			return t.Consumers
		}
	}
	return nil
}
