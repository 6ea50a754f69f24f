package servicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/work"
)

// errRefused is what a rule makes a decision fail with.
var errRefused = errors.New("refused by the test")

// refusalChangesNothing has each message refused in its turn. All must end as if it, and what waits behind it, had
// never come: nothing of it is left, and nothing of another key is held back.
func (s *stage[I, S, E]) refusalChangesNothing(ctx context.Context) error {
	return s.eachTamperedWith(ctx, func(I, S) ([]E, error) { return nil, errRefused })
}

// panicSpoilsNothing has each message change the state and panic. All must end as if it had never come.
func (s *stage[I, S, E]) panicSpoilsNothing(ctx context.Context) error {
	return s.eachTamperedWith(ctx, func(in I, state S) ([]E, error) {
		_, err := in.Decide(state)
		panic(fmt.Errorf("%w after %w", errRefused, err))
	})
}

func (s *stage[I, S, E]) eachTamperedWith(ctx context.Context, decide func(I, S) ([]E, error)) error {
	for i, st := range s.steps {
		if st.aside != nil {
			continue
		}
		if err := s.tamperedWith(ctx, i, decide); err != nil {
			return fmt.Errorf("%s: %w", s.nameOf(st.message.ID), err)
		}
	}
	return nil
}

// tamperedWith plays the story without message i and without those that wait behind it, then with all of them while
// message i fails.
func (s *stage[I, S, E]) tamperedWith(ctx context.Context, i int, decide func(I, S) ([]E, error)) error {
	id := s.steps[i].message.ID
	var without []portion[I, S, E]
	with := s.portions(whole)
	var behind []string
	var failing *message[I, S, E]
	for _, p := range with {
		kept := portion[I, S, E]{aside: p.aside}
		for n := range p.messages {
			m := &p.messages[n]
			if m.ID == id {
				failing = m
				failing.Input.decide = decide
			}
			if failing != nil && (m == failing || waitsBehind(*m, *failing)) {
				behind = append(behind, m.ID)
				continue
			}
			kept.messages = append(kept.messages, *m)
		}
		if kept.aside != nil || len(kept.messages) > 0 {
			without = append(without, kept)
		}
	}
	// What needs the message may be refused by the service itself then.
	want, wantRefused, err := s.play(ctx, s.backend(), without)
	if err != nil {
		return fmt.Errorf("without it: %w", err)
	}
	got, gotRefused, err := s.play(ctx, s.backend(), with)
	if err != nil {
		return err
	}
	expected := behind
	for other := range wantRefused {
		expected = append(expected, other)
	}
	var refused []string
	for other := range gotRefused {
		refused = append(refused, other)
	}
	slices.Sort(expected)
	slices.Sort(refused)
	if diff := cmp.Diff(expected, refused); diff != "" {
		return fmt.Errorf("other messages are refused (-want +got):\n%s", diff)
	}
	return want.handled().compare(got.handled())
}

// waitsBehind reports whether m, which comes later, queues behind an event that is refused.
func waitsBehind[I any](m, refused work.Message[I]) bool {
	ordered := refused.Record != nil && !refused.Unlogged
	return ordered && m.Record != nil && m.Scope == refused.Scope && m.Key == refused.Key
}
