package servicetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/quadrille-platform/quadrille/pkg/event"
	"github.com/quadrille-platform/quadrille/pkg/sqldb"
	"github.com/quadrille-platform/quadrille/pkg/work"
)

// errRollBack ends a transaction that only looked.
var errRollBack = errors.New("roll back")

// failedDecisionChangesNothing decides each event of the story as it is and with each of its fields in turn at values
// that no publisher means. No decision panics, and after one that fails the state is as before.
func (s *stage[I, S, E]) failedDecisionChangesNothing(ctx context.Context) error {
	if err := clearAll(ctx, s.db); err != nil {
		return err
	}
	for i, p := range s.portions(one) {
		if told := s.steps[i].told; told != nil {
			variants, err := mutants(told.Data)
			if err != nil {
				return err
			}
			for _, v := range variants {
				if err := s.decidedOn(ctx, *told, v.data); err != nil {
					return fmt.Errorf("%s with %s: %w", s.nameOf(p.messages[0].ID), v.change, err)
				}
			}
		}
		if _, err := s.hand(ctx, s.db, s.backend(), []portion[I, S, E]{p}); err != nil {
			return err
		}
	}
	return nil
}

// decidedOn loads for e with other data, decides, and keeps nothing.
func (s *stage[I, S, E]) decidedOn(ctx context.Context, e event.Event, data event.Data) error {
	e.Data = data
	in, wanted, err := s.input(e)
	if errors.Is(err, work.ErrPanic) {
		return err
	}
	if err != nil || !wanted {
		return nil
	}
	err = s.db.Tx(ctx, func(tx *sqldb.Tx) error {
		before, err := s.def.Load(ctx, tx, []I{in})
		if err != nil {
			return errRollBack // such as for NUL in a key
		}
		state, err := s.def.Load(ctx, tx, []I{in})
		if err != nil {
			return err
		}
		happened, refused, panicked := decide(in, state)
		if panicked != nil {
			return panicked
		}
		for _, fact := range happened {
			s.def.Publish(fact)
		}
		if diff := cmp.Diff(before, state, cmp.Exporter(exported)); refused != nil && diff != "" {
			return fmt.Errorf("refused with %w, but the state has changed:\n%s", refused, diff)
		}
		return errRollBack
	})
	if errors.Is(err, errRollBack) {
		return nil
	}
	return err
}

// input is the service's Input. What it panics with is an error that wraps work.ErrPanic.
func (s *stage[I, S, E]) input(e event.Event) (in I, wanted bool, err error) {
	defer recovered(&err)
	return s.def.Input(e, storyTime)
}

func decide[S, E any](in work.Input[S, E], state S) (happened []E, refused, panicked error) {
	defer recovered(&panicked)
	happened, refused = in.Decide(state)
	return happened, refused, nil
}

func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", work.ErrPanic, p)
	}
}

type ofTomorrow struct{}

// EventType is that of no contract.
func (*ofTomorrow) EventType() string { return "of.Tomorrow" }

// foreignIsUnwanted asks Input about an event type of tomorrow on each topic: it is of no interest, and no fault. A
// tombstone is of no interest or has a meaning.
func (s *stage[I, S, E]) foreignIsUnwanted(context.Context) error {
	var errs []error
	for _, t := range s.def.Consumes {
		e := event.Event{
			ID: event.Derive("story", "foreign", 0), Topic: t.Topic, Type: "of.Tomorrow", Key: "key", Sequence: 1,
			Time: storyTime, Data: &ofTomorrow{},
		}
		if _, wanted, err := s.input(e); wanted || err != nil {
			errs = append(errs, fmt.Errorf("an unknown type on %s: wanted %t, error %w", t.Topic, wanted, err))
		}
		e.Data = nil
		if _, _, err := s.input(e); err != nil {
			errs = append(errs, fmt.Errorf("a tombstone on %s: %w", t.Topic, err))
		}
	}
	return errors.Join(errs...)
}

// badKeysAreFaults puts each event of the story under keys that are none, and under that of another aggregate.
func (s *stage[I, S, E]) badKeysAreFaults(ctx context.Context) error {
	var errs []error
	for _, st := range s.steps {
		if st.told == nil {
			continue
		}
		for _, key := range []string{"", "\x00", "key\x00", "\xff", strings.Repeat("k", 256), "another"} {
			e := *st.told
			e.Key = key
			if _, _, err := s.input(e); errors.Is(err, work.ErrPanic) {
				errs = append(errs, fmt.Errorf("%s under the key %q: %w", e.Type, key, err))
				continue
			}
			record, err := recordOf(s.codec, e)
			if err != nil {
				return err
			}
			if m, _, err := s.decoder.Decode(ctx, record); err != nil || m.Fault == nil {
				errs = append(errs, fmt.Errorf("%s under the key %q is no fault, error %w", e.Type, key, err))
			}
		}
	}
	return errors.Join(errs...)
}
