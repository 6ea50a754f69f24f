package servicetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/serde"
)

// maxEvents that one message leads to, far more than any does.
const maxEvents = 100

// storyIsWhole asks for every event type that the service consumes or publishes: what is not told is not tested.
func (s *stage[I, S, E]) storyIsWhole(ctx context.Context) error {
	seen := make(map[string]bool)
	for _, st := range s.steps {
		if st.told != nil {
			seen[st.told.Type] = true
		}
	}
	var errs []error
	for _, t := range s.def.Consumes {
		if !seen[t.Name] {
			errs = append(errs, fmt.Errorf("the story does not tell of %s, which the service consumes", t.Name))
		}
	}
	if _, _, err := s.play(ctx, s.backend(), s.portions(whole)); err != nil {
		return err
	}
	all, err := s.published(ctx)
	if err != nil {
		return err
	}
	for _, t := range s.def.Publishes {
		if !slices.ContainsFunc(all, func(p published) bool { return p.event.Type == t.Name }) {
			errs = append(errs, fmt.Errorf("the story does not lead to %s, which the service publishes", t.Name))
		}
	}
	return errors.Join(errs...)
}

// publishedKeepsContract reads what the story leads to as a consumer would: the envelope is whole, the bytes are an
// event of the contracts under the key that they name, and ce_sequence rises by topic and key.
func (s *stage[I, S, E]) publishedKeepsContract(ctx context.Context) error {
	if _, _, err := s.play(ctx, s.backend(), s.portions(whole)); err != nil {
		return err
	}
	all, err := s.published(ctx)
	if err != nil {
		return err
	}
	sequence, ids := make(map[string]int64), make(map[string]bool)
	var errs []error
	for _, p := range all {
		fault := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s of %s: %s", p.event.Type, p.event.Key, fmt.Sprintf(format, args...)))
		}
		stream := p.event.Topic + " " + p.event.Key
		if p.fault != nil {
			fault("%v", p.fault)
		}
		if p.event.Sequence <= sequence[stream] {
			fault("ce_sequence %d comes after %d", p.event.Sequence, sequence[stream])
		}
		sequence[stream] = p.event.Sequence
		if ids[p.event.ID] || !s.derives(p.event) {
			fault("its id %s does not derive from the message %s, or came before", p.event.ID, p.event.Cause.ID)
		}
		ids[p.event.ID] = true
		if p.value == nil {
			continue // a tombstone
		}
		t, data, err := s.codec.Decode(ctx, p.event.Topic, p.value)
		switch {
		case err != nil:
			fault("it cannot be read: %v", err)
		case t.Name != p.event.Type || !slices.ContainsFunc(s.def.Publishes, func(own serde.Type) bool {
			return own.Name == t.Name && own.Topic == p.event.Topic
		}):
			fault("it holds a %s on %s", t.Name, p.event.Topic)
		case !names(data, p.event.Key):
			fault("no field of its data is its key, %q", p.event.Key)
		}
	}
	return errors.Join(errs...)
}

// derives reports whether the event is one of those that a message of the story leads to.
func (s *stage[I, S, E]) derives(e event.Event) bool {
	caused := slices.ContainsFunc(s.steps, func(st step[I]) bool {
		cause := st.message.Cause
		return st.aside == nil && cause.ID == e.Cause.ID && cause.Correlation == e.Cause.Correlation
	})
	for n := range maxEvents {
		if caused && e.ID == event.Derive(s.def.Name, e.Cause.ID, n) {
			return true
		}
	}
	return false
}

// names reports whether a field of data, a pointer to a struct, is the key.
func names(data any, key string) bool {
	v := reflect.ValueOf(data).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String && f.String() == key {
			return true
		}
	}
	return false
}
