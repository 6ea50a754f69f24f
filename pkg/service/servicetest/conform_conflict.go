package servicetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/quadrille-platform/quadrille/pkg/sqldb"
)

// staleIsDecidedAgain decides each message on a state that was loaded before others had changed it: before the message
// that came last, before the last one of its key, and before all, but after what was done aside, which may rest on the
// locks that Load takes. Save must find that out, unless it makes no difference: all ends as the story does, or as it
// would if the message had come when its state was loaded.
func (s *stage[I, S, E]) staleIsDecidedAgain(ctx context.Context) error {
	first := 0
	for j, st := range s.steps {
		if st.aside != nil {
			first = j + 1
			continue
		}
		sameKey := first
		for i := first; i < j; i++ {
			if s.steps[i].message.Key == st.message.Key {
				sameKey = i
			}
		}
		loadedBefore := []int{first, sameKey, max(first, j-1)}
		slices.Sort(loadedBefore)
		for _, i := range slices.Compact(loadedBefore) {
			if i == j {
				continue
			}
			if err := s.stale(ctx, i, j); err != nil {
				return fmt.Errorf("%s, loaded before step %d: %w", s.nameOf(st.message.ID), i, err)
			}
		}
	}
	return nil
}

// stale plays the story one by one, but message j is decided at first on what was loaded for it before step i.
func (s *stage[I, S, E]) stale(ctx context.Context, i, j int) error {
	svc := s.backend()
	load := svc.Load
	var early S
	turn := false
	svc.Load = func(ctx context.Context, tx *sqldb.Tx, all []heard[I, S, E]) (S, error) {
		if turn {
			turn = false
			return early, nil
		}
		return load(ctx, tx, all)
	}
	portions := s.portions(one) // one a step
	portions = slices.Insert(portions, j, portion[I, S, E]{aside: func(context.Context, *sqldb.DB) error {
		turn = true
		return nil
	}})
	portions = slices.Insert(portions, i, portion[I, S, E]{aside: func(ctx context.Context, db *sqldb.DB) error {
		return db.Tx(ctx, func(tx *sqldb.Tx) (err error) {
			early, err = s.def.Load(ctx, tx, []I{s.steps[j].message.Input})
			return err
		})
	}})
	end, refused, err := s.play(ctx, svc, portions)
	if err != nil {
		return err
	}
	lost := s.plain.compare(end)
	if lost == nil && len(refused) == 0 {
		return nil
	}

	moved := s.portions(one)
	message := moved[j]
	moved = slices.Insert(slices.Delete(moved, j, j+1), i, message)
	earlier, earlierRefused, err := s.play(ctx, s.backend(), moved)
	if err != nil {
		return err
	}
	if id := s.steps[j].message.ID; refused[id] != nil && earlierRefused[id] != nil {
		// Refused it may be, as it would have been then, if nothing else is different for it.
		rejected := s.portions(one)
		rejected[j].messages[0].Input.decide = func(I, S) ([]E, error) { return nil, errRefused }
		want, _, err := s.play(ctx, s.backend(), rejected)
		if err != nil {
			return err
		}
		return want.handled().compare(end.handled())
	}
	sameRefused := maps.EqualFunc(refused, earlierRefused, func(error, error) bool { return true })
	if sameRefused && earlier.handled().compare(end.handled()) == nil {
		return nil
	}
	return errors.Join(lost, refused[s.steps[j].message.ID])
}
