package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/quadrille-platform/quadrille/platform/client"
)

const (
	// operator is who rules on dead letters here.
	operator = "quadrille-demo"
	// openLetters is the most that is looked at.
	openLetters = 1000
)

// letterOf waits until a service has a dead letter of a record, and opens it.
func (s *scene) letterOf(service string, r *kgo.Record) (opened client.OpenedDeadLetter) {
	filter, id := client.DeadLetterFilter{Topic: r.Topic, Key: string(r.Key)}, messageOf(r)
	s.until("a dead letter of "+service, func() error {
		letters, _, err := s.DeadLetters(s.ctx, service, filter, openLetters)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(letters, func(l client.DeadLetter) bool { return l.MessageID == id })
		if i < 0 {
			return fmt.Errorf("it has %d others of that topic and key", len(letters))
		}
		opened, err = s.DeadLetter(s.ctx, service, letters[i].ID, true)
		return err
	})
	return opened
}

// messageOf is the id that a record is known by: that of its event or, if it says none, its place and content.
func messageOf(r *kgo.Record) string {
	for _, h := range r.Headers {
		if h.Key == "ce_id" {
			return string(h.Value)
		}
	}
	return fmt.Sprintf("%d/%d/%x", r.Partition, r.Offset, sha256.Sum256(r.Value))
}

// queue waits until inventory's letters of an order are events of these kinds, the first of them the head.
func (s *scene) queue(orderID string, want ...string) (letters []client.DeadLetter) {
	s.until(fmt.Sprintf("the queue %v of inventory", want), func() (err error) {
		filter := client.DeadLetterFilter{Topic: saga[0], Key: orderID}
		if letters, _, err = s.DeadLetters(s.ctx, "inventory", filter, openLetters); err != nil {
			return err
		}
		var got []string
		for i, l := range letters {
			got = append(got, kindOf(l))
			if l.Head != (i == 0) || i > 0 && l.Class != "behind" {
				return errors.New("a letter of it is " + text(l))
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
	return letters
}

// behind waits until one event, of that kind, waits behind a letter, and returns its letter.
func (s *scene) behind(service string, id int64, kind string) (waits client.DeadLetter) {
	s.until(kind+" to wait in "+service, func() error {
		l, err := s.DeadLetter(s.ctx, service, id, false)
		if err != nil {
			return err
		}
		if l.Waiting != 1 || len(l.Behind) != 1 || kindOf(l.Behind[0]) != kind {
			return fmt.Errorf("%d wait", l.Waiting)
		}
		waits = l.Behind[0]
		return nil
	})
	return waits
}

// lettersGone waits until a service has no open letter of an order, and sees later that there still is none.
func (s *scene) lettersGone(service, orderID string) {
	gone := func() error {
		letters, _, err := s.DeadLetters(s.ctx, service, client.DeadLetterFilter{Key: orderID}, openLetters)
		if err == nil && len(letters) > 0 {
			err = fmt.Errorf("%s has %d, the first %s", service, len(letters), text(letters[0]))
		}
		return err
	}
	s.until("the end of the letters of "+service, gone)
	s.again = append(s.again, gone)
}

// discarded checks that a letter is, and that it is written down who did it and why.
func (s *scene) discarded(service string, id int64, reason string) error {
	l, err := s.DeadLetter(s.ctx, service, id, false)
	if err != nil {
		return err
	}
	if l.State != "discarded" || len(l.Rulings) != 1 || l.Rulings[0].Action != client.Discard ||
		l.Rulings[0].Operator != operator || l.Rulings[0].Reason != reason || l.Rulings[0].At.IsZero() {
		return fmt.Errorf("%s: after it was discarded, with the rulings %+v", text(l.DeadLetter), l.Rulings)
	}
	return nil
}

// noLetters checks that no service of a platform has an open letter.
func noLetters(ctx context.Context, on *site) error {
	for service := range on.Services {
		if _, leftOut := on.LeftOut[service]; leftOut {
			continue
		}
		letters, _, err := on.DeadLetters(ctx, service, client.DeadLetterFilter{}, openLetters)
		if err != nil {
			return err
		}
		if len(letters) > 0 {
			return fmt.Errorf("%s has %d open letters, the first %s", service, len(letters), text(letters[0]))
		}
	}
	return nil
}

// sameBytes checks that a letter holds a record as it was.
func sameBytes(r *kgo.Record, kept *client.DeadRecord) error {
	if kept == nil {
		return errors.New("the letter holds no record")
	}
	same := kept.Partition == r.Partition && kept.Offset == r.Offset && bytes.Equal(kept.Key, r.Key) &&
		bytes.Equal(kept.Value, r.Value) && len(kept.Headers) == len(r.Headers)
	for i, h := range kept.Headers {
		same = same && sameHeader(h, r.Headers[i])
	}
	if !same {
		return fmt.Errorf("the letter holds %+v, not what was sent to partition %d, offset %d", *kept,
			r.Partition, r.Offset)
	}
	return nil
}

func sameHeader(kept client.DeadHeader, h kgo.RecordHeader) bool {
	name, value := h.Key, string(h.Value)
	if kept.Base64 {
		name = base64.StdEncoding.EncodeToString([]byte(name))
		value = base64.StdEncoding.EncodeToString(h.Value)
	}
	return kept.Name == name && kept.Value != nil && *kept.Value == value
}

// copyOf checks that there is one copy of a record that a service could not handle, behind headers that say so.
func copyOf(r *kgo.Record, service string, copies []*kgo.Record) error {
	from := map[string]string{
		"dl_service": service, "dl_scope": r.Topic,
		"dl_partition": fmt.Sprint(r.Partition), "dl_offset": fmt.Sprint(r.Offset),
	}
	n := 0
	for _, c := range copies {
		own := max(0, len(c.Headers)-len(r.Headers))
		said := 0
		for _, h := range c.Headers[:own] {
			if want, asked := from[h.Key]; asked && want == string(h.Value) {
				said++
			}
		}
		if said != len(from) {
			continue
		}
		if n++; !bytes.Equal(c.Key, r.Key) || !bytes.Equal(c.Value, r.Value) ||
			!slices.EqualFunc(c.Headers[own:], r.Headers, func(a, b kgo.RecordHeader) bool {
				return a.Key == b.Key && bytes.Equal(a.Value, b.Value)
			}) {
			return errors.New("the copy differs")
		}
	}
	if n != 1 {
		return fmt.Errorf("there are %d copies", n)
	}
	return nil
}

// kindOf is the last part of the type that a letter claims.
func kindOf(l client.DeadLetter) string { return l.Type[strings.LastIndexByte(l.Type, '.')+1:] }

func text(l client.DeadLetter) string {
	return fmt.Sprintf("%d, %s %s of %s, %s: %s", l.ID, l.State, kindOf(l), l.Key, l.Class, l.Error)
}
