package saga

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/services/notification"
)

// letters are the events that notification reads about one order, by topic, each in its order.
type letters [2][]event.Event

// lettersOf are those that the world has published. Nobody reads what notification says, so how far it is changes
// nothing for the others: its own interleavings can be searched once all is said.
func (w *world) lettersOf(id string) letters {
	var all letters
	for _, e := range w.letters {
		if e.Key != id {
			continue
		}
		topic := 0
		if e.Source == "/quadrille/payment" {
			topic = 1
		}
		all[topic] = append(all[topic], e)
	}
	return all
}

// key names letters by what they say, without the ids that depend on the way to them.
func (l letters) key() (string, error) {
	var said []any
	for topic, events := range l {
		for _, e := range events {
			said = append(said, topic, fmt.Sprintf("%T", e.Data), e.Sequence, e.Data)
		}
	}
	data, err := json.Marshal(said)
	return string(data), err
}

// mails searches every interleaving of letters, the topics in any order and one letter repeated at any later place,
// with the mails that go out in between, and returns each succession of mails that came of it.
func mails(id string, l letters) ([]string, error) {
	s := mailSearch{id: id, letters: l, seen: make(map[string]bool)}
	if err := s.from(mailStep{}); err != nil {
		return nil, err
	}
	return s.ends, nil
}

type mailSearch struct {
	id      string
	letters letters
	seen    map[string]bool
	ends    []string
}

// mailStep is how far notification is.
type mailStep struct {
	State    json.RawMessage
	Read     [2]int // letters of each topic
	Told     []string
	Repeated bool
}

func (s *mailSearch) from(at mailStep) error {
	key, err := json.Marshal(at)
	if err != nil || s.seen[string(key)] {
		return err
	}
	s.seen[string(key)] = true

	rest := true
	for topic, events := range s.letters {
		if n := at.Read[topic]; n < len(events) {
			rest = false
			next := at
			next.Read[topic]++
			if err := s.read(next, events[n]); err != nil {
				return err
			}
		}
		if at.Repeated {
			continue
		}
		for _, e := range events[:at.Read[topic]] {
			next := at
			next.Repeated = true
			if err := s.read(next, e); err != nil {
				return err
			}
		}
	}
	m, err := at.model()
	if err != nil {
		return err
	}
	if kind, due := m.Due(s.id); due {
		rest = false
		next := at
		next.Told = append(slices.Clone(at.Told), kind)
		published, err := m.Sent(s.id, kind, now)
		if err != nil {
			return err
		}
		if len(published) != 1 {
			return fmt.Errorf("a mail that was sent is told by %d events", len(published))
		}
		if next.State, err = m.Snapshot(); err != nil {
			return err
		}
		if err := s.from(next); err != nil {
			return err
		}
	}
	if end := strings.Join(at.Told, " "); rest && !slices.Contains(s.ends, end) {
		s.ends = append(s.ends, end)
	}
	return nil
}

// read hands a letter to notification and goes on from there.
func (s *mailSearch) read(next mailStep, e event.Event) error {
	m, err := next.model()
	if err != nil {
		return err
	}
	published, err := m.Handle(e, now)
	if err != nil {
		return fmt.Errorf("%T: %w", e.Data, err)
	}
	if len(published) > 0 {
		return fmt.Errorf("%T led to %T", e.Data, published[0].Data)
	}
	if next.State, err = m.Snapshot(); err != nil {
		return err
	}
	return s.from(next)
}

func (at mailStep) model() (*notification.Model, error) {
	m := notification.NewModel()
	if at.State == nil {
		return m, nil
	}
	return m, m.Restore(at.State)
}
